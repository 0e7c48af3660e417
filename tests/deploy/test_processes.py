"""Supervised processes start again when they die, and none outlives its supervisor."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import processes


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[processes.Supervisor]:
    made = processes.Supervisor(tmp_path)
    yield made
    made.stop(0.5)


def until(holds: Callable[[], bool]) -> None:
    """Waits up to five seconds."""
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_process_is_started_again(
    supervisor: processes.Supervisor, tmp_path: Path
) -> None:
    supervisor.start("sleeper", ["sleep", "60"])
    first = supervisor.pid("sleeper")
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.pid("sleeper") != first)
    assert processes.alive(supervisor.pid("sleeper"))
    assert "sleeper ended with status -9" in (tmp_path / "sleeper.log").read_text()


def test_stop_ends_also_what_ignores_sigterm(supervisor: processes.Supervisor) -> None:
    supervisor.start("stubborn", ["sh", "-c", "trap '' TERM; echo ready; sleep 60 & wait; wait"])
    pid = supervisor.pid("stubborn")
    supervisor.stop(grace_seconds=0.1)
    until(lambda: not processes.alive(pid))


def test_processes_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    """SIGKILL of the starter: nothing could clean up, and nothing is left."""
    program = (
        "import sys, time, pathlib; from deploy.local import processes;"
        "s = processes.Supervisor(pathlib.Path(sys.argv[1])); s.start('sleeper', ['sleep', '60']);"
        "print(s.pid('sleeper'), flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    try:
        with starter.stdout:
            child = int(starter.stdout.readline())
        # Until then the process is setpriv, which has yet to ask for the signal.
        until(lambda: Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"sleep"))
    finally:
        starter.kill()
        starter.wait()
    until(lambda: not processes.alive(child))
