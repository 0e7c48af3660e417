"""Processes that live as long as their starter, and start again when they die."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.local import paths

_IMPORTABLE = {"PYTHONPATH": str(paths.REPOSITORY)}
"""Our programs run from the clone, whatever their working directory."""
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.1, 5.0
"""Pause before a restart, doubled each time; a process that ran for LONGEST_DELAY starts afresh."""


def dies_with_parent(argv: Sequence[str]) -> list[str]:
    """`argv`, ended by SIGKILL when the thread that starts it ends.

    Through setpriv and not in a preexec function: that would run between fork and exec of a
    program with threads.
    """
    return ["setpriv", "--pdeathsig", "KILL", "--", *argv]


_detached: list[subprocess.Popen[bytes]] = []
"""Kept because a Popen that is dropped while its process runs warns, and reaps nothing."""


def start_detached(
    argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Starts `argv` in a session of its own, to outlive this program; its output goes to `log`."""
    reap_detached()
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            cwd="/",
            env={**(os.environ if environment is None else environment), **_IMPORTABLE},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _detached.append(process)
    return process


def reap_detached() -> None:
    """Forgets the detached processes that ended meanwhile, and frees their entries."""
    _detached[:] = [process for process in _detached if process.poll() is None]


class Supervisor:
    """Starts processes, keeps them running, and ends them all at once."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._stopping = threading.Event()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._threads: list[threading.Thread] = []

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts `argv` behind `prefix` (an nsenter) as `name`; its output is logs/name.log.

        The process is ended when this program dies. When it ends by itself it is started again.
        """
        command = [*prefix, *dies_with_parent(argv)]
        started = threading.Event()
        keeper = threading.Thread(
            target=self._keep, args=(name, command, environment, started), name=name, daemon=True
        )
        self._threads.append(keeper)
        keeper.start()
        started.wait(5)

    def pid(self, name: str) -> int:
        """The current process of `name`.

        Raises:
            KeyError: `name` was never started.
        """
        return self._processes[name].pid

    def stop(self, grace_seconds: float = 1.0) -> None:
        """Ends every process: SIGTERM, then SIGKILL after `grace_seconds`."""
        self._stopping.set()
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in self._processes.values():
            process.kill()
        for thread in self._threads:
            thread.join(timeout=2)

    def _keep(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None,
        started: threading.Event,
    ) -> None:
        delay = FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            begun = time.monotonic()
            with (self._logs / f"{name}.log").open("ab") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                )
                self._processes[name] = process
                started.set()
                status = process.wait()
                if self._stopping.is_set():
                    return
                log.write(f"-- {name} ended with status {status}; starting again\n".encode())
            if time.monotonic() - begun > LONGEST_DELAY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._stopping.wait(delay)
            delay = min(2 * delay, LONGEST_DELAY_SECONDS)


def in_namespaces(names: Sequence[str]) -> Iterator[int]:
    """Processes whose network namespace is one of `names` in /run/netns."""
    inodes = set()
    for name in names:
        with contextlib.suppress(OSError):
            inodes.add(Path(f"/run/netns/{name}").stat().st_ino)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # A process may end between the listing and the look.
            with contextlib.suppress(OSError):
                if (entry / "ns/net").stat().st_ino in inodes:
                    yield int(entry.name)


def kill(pids: Sequence[int], grace_seconds: float = 5.0) -> None:
    """SIGKILL to each, and waits until they are gone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(alive(pid) for pid in pids):
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
