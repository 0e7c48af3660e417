"""`python -m deploy.local VERB`: see `commands`."""

import importlib
import signal
import sys
from types import FrameType


def main() -> int:
    """Exit status of the verb; 1 after an interrupt."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        # Here and not at the top: an interrupt may also come while this is being imported.
        status: int = importlib.import_module("deploy.local.commands").run()
    except KeyboardInterrupt:
        print("interrupted: what was started has been removed", file=sys.stderr)
        return 1
    return status


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
