"""What befalls the machines of the local provider: their programs die, or they are taken away.

Rows of the fault cases: L2, L3; L4 and L5.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import claims, demo, network, paths, processes
from tests.e2e import host
from tests.e2e.namespaces import Namespace, Object, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

EXAMPLE = paths.REPOSITORY / "examples" / "tiny-chat.yaml"
QUESTION = "What is Plainsail?"
PROGRAMS = {"device plugin": b"deploy.local.device_plugin", "kubelet": b"kubelet"}


@pytest.mark.parametrize("word", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_of_a_machine_that_is_killed_takes_nothing_from_its_pods(
    namespace: Namespace, word: bytes
) -> None:
    """L2, L3: it is started again, the node has its GPU, the pod and its container run on."""
    namespace.apply(EXAMPLE)
    assert demo.ask(namespace.url("tiny-chat"), QUESTION)
    (before,) = namespace.all("pods")
    node = before["spec"]["nodeName"]
    (pid,) = _running(namespace, word)

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: list(_running(namespace, word)) not in ([], [pid]), "it runs again")
    eventually(lambda: _is_usable(namespace, node), f"node {node} ready with its GPU")
    assert demo.ask(namespace.url("tiny-chat"), QUESTION)
    (after,) = namespace.all("pods")
    assert _identity(after) == _identity(before)
    assert len(namespace.claims()) == 1


def test_a_machine_that_is_taken_from_running_pods_leaves_nothing_and_its_address_serves_again(
    namespace: Namespace,
) -> None:
    """L4, L5: no namespace, link, mount or group of it; nobody knows another by its address."""
    before = _host()
    addresses = []
    for _ in range(2):
        namespace.apply(EXAMPLE)
        assert demo.ask(namespace.url("tiny-chat"), QUESTION)
        addresses += [pod["status"]["podIP"] for pod in namespace.all("pods")]
        namespace.delete(EXAMPLE)
        for claim in namespace.claims():
            namespace.api.delete(f"{claims.COLLECTION}/{claim['metadata']['name']}")
        eventually(lambda: not namespace.claims(), "the machine gone")
        eventually(lambda: not namespace.all("pods"), "its pods gone")
        eventually(lambda: _host() == before, "the host as before")
    assert addresses[0] == addresses[1]


def _identity(pod: Object) -> tuple[str, str, int]:
    """What changes when a pod or its container is made anew."""
    (container,) = pod["status"]["containerStatuses"]
    return pod["metadata"]["uid"], container["containerID"], container["restartCount"]


def _is_usable(namespace: Namespace, node: str) -> bool:
    status = namespace.api.get(f"/api/v1/nodes/{node}")["status"]
    ready = [one["status"] for one in status["conditions"] if one["type"] == "Ready"]
    return ready == ["True"] and status["allocatable"].get("nvidia.com/gpu") == "1"


def _running(namespace: Namespace, word: bytes) -> Iterator[int]:
    """Processes of bought machines with this word in their command or its name."""
    *machines, _ = network.existing(namespace.loaded.name)
    for pid in processes.in_namespaces(machines):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if word in words or words[0].rpartition(b"/")[2] == word:
            yield pid


def _host() -> dict[str, object]:
    """What a machine adds to the host."""
    names = sorted(entry.name for entry in Path("/run/netns").iterdir())
    return {
        "namespaces": names,
        "links": subprocess.check_output(["ip", "-br", "link"], text=True).count("\n"),
        "mounts": host.mounts(),
        "cgroups": host.groups(),
    }
