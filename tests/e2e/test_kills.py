"""Killing any one program during the run delays the answer, and the answer still comes."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import demo, paths, processes
from deploy.local.failures import CannotRun
from tests.e2e.namespaces import Namespace, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

MODULES = {
    "webhook": "webhook",
    "planner": "node_provisioner",
    "controller": "controller",
    "provider": "deploy.local.provider",
}
MOMENTS = {"before": 0.0, "during": 1.2}
"""Seconds after the apply at which the program is killed."""


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES.keys())
def test_killed_program_delays_and_does_not_prevent(
    namespace: Namespace, module: str, moment: float
) -> None:
    """SIGKILL before the apply, and in the middle of buying; it is started again and goes on."""
    example = paths.REPOSITORY / "examples" / "tiny-chat.yaml"
    if not moment:
        _kill(namespace, module)
        _apply_until_admitted(namespace, example)
    else:
        namespace.apply(example)
        time.sleep(moment)
        _kill(namespace, module)

    assert demo.ask(namespace.url("tiny-chat"), "What is Plainsail?")
    assert len(namespace.claims()) == 1, "a restart must not buy twice"


def _apply_until_admitted(namespace: Namespace, file: Path) -> None:
    """With the webhook down a labelled object is refused, as it should be; a user tries again."""

    def admitted() -> bool:
        try:
            namespace.apply(file)
        except CannotRun:
            return False
        return True

    eventually(admitted, "the apply admitted", 30)


def _kill(namespace: Namespace, module: str) -> None:
    pids = list(_running(namespace, module))
    assert pids, f"{module} does not run"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def _running(namespace: Namespace, module: str) -> Iterator[int]:
    for pid in processes.in_namespaces([namespace.loaded.network.namespace]):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"-m" in words and words[words.index(b"-m") + 1] == module.encode():
            yield pid
