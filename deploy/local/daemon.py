"""A cluster's own process: starts everything, keeps it running, ends with it."""

import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from deploy.local import boot, settings
from deploy.local.failures import CannotRun
from deploy.local.processes import Supervisor


def main() -> None:
    """Runs the cluster whose settings file is the one argument, until SIGTERM."""
    loaded = settings.load(Path(sys.argv[1]))
    files = loaded.files
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with files.lock.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        supervisor = Supervisor(files.logs)
        try:
            boot.boot(loaded, supervisor, lambda step: _say(files.events, "step", step))
            _say(files.events, "ready", "")
            stop.wait()
        except CannotRun as error:
            _say(files.events, "failed", str(error), error.hint)
        except Exception as error:  # noqa: BLE001 - the process's one boundary: whoever waits must hear of it
            traceback.print_exc()
            _say(files.events, "failed", f"{type(error).__name__}: {error}")
        finally:
            supervisor.stop(grace_seconds=0.3)


def _say(events: Path, kind: str, text: str, hint: str = "") -> None:
    line = json.dumps({"at": time.monotonic(), "kind": kind, "text": text, "hint": hint})
    with contextlib.suppress(FileNotFoundError), events.open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main()
