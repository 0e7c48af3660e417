"""What is read of raw objects by every program."""

import pytest

from kubeapi import objects


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        pytest.param(
            ("ReplicaSet", "chat-5d9c7"), {"pod-template-hash": "5d9c7"}, "Deployment/chat"
        ),
        pytest.param(("ReplicaSet", "own-set"), {}, "ReplicaSet/own-set"),
        pytest.param(("StatefulSet", "chat"), {}, "StatefulSet/chat"),
        pytest.param(("Job", "tune"), {}, "Job/tune"),
        pytest.param(None, {}, "Pod/p"),
    ],
)
def test_the_workload_is_what_the_user_made(
    owner: tuple[str, str] | None, labels: dict[str, str], expected: str
) -> None:
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    meta = {"namespace": "ns", "name": "p", "labels": labels, "ownerReferences": owners}
    assert objects.workload(meta).label == expected


def test_a_pods_devices_are_its_containers_or_its_hungriest_init_container() -> None:
    def container(gpus: int) -> dict[str, object]:
        return {"resources": {"limits": {"nvidia.com/gpu": str(gpus), "cpu": "500m"}}}

    spec = {"containers": [container(1), container(2)], "initContainers": [container(4)]}
    assert objects.pod_devices(spec) == (("nvidia.com/gpu", 4),)
    spec["initContainers"] = [container(2), container(2)]
    assert objects.pod_devices(spec) == (("nvidia.com/gpu", 3),)


@pytest.mark.parametrize(
    ("init", "gpus"),
    [
        pytest.param("s1", 4, id="a sidecar beside the containers"),
        pytest.param("s1 s2", 6, id="sidecars together"),
        pytest.param("s1 3", 4, id="an init container beside the sidecar before it"),
        pytest.param("s1 4", 5, id="a hungrier one"),
        pytest.param("4 s1", 4, id="an init container before the sidecar"),
        pytest.param("s2 2 s1", 6, id="sidecars on both sides"),
        pytest.param("s2 5 s1", 7, id="sidecars on both sides of a hungry one"),
    ],
)
def test_a_sidecar_holds_its_devices_beside_what_comes_after_it(init: str, gpus: int) -> None:
    """`s1` is a restartable init container with one GPU, `1` an ordinary one; then three GPUs."""
    containers = []
    for word in init.split():
        limits = {"limits": {"nvidia.com/gpu": word.removeprefix("s")}}
        policy = {"restartPolicy": "Always"} if word.startswith("s") else {}
        containers.append({"resources": limits, **policy})
    rest = {"resources": {"limits": {"nvidia.com/gpu": "3"}}}
    spec = {"initContainers": containers, "containers": [rest]}
    assert objects.pod_devices(spec) == (("nvidia.com/gpu", gpus),)


def test_standard_resources_and_our_marker_are_no_devices() -> None:
    amounts = {
        "cpu": "8",
        "hugepages-2Mi": "1",
        "attachable-volumes.kubernetes.io/x": "3",
        "kaito.sh/placement": "1",
        "amd.com/gpu": "2",
    }
    assert objects.devices(amounts) == (("amd.com/gpu", 2),)


@pytest.mark.parametrize(
    ("kind", "status", "fault"),
    [
        ("XIDErrors", "True", "XIDErrors"),
        ("XIDErrors", "False", ""),
        ("AcceleratedHardwareReady", "False", "AcceleratedHardwareReady"),
        ("AcceleratedHardwareReady", "Unknown", ""),
        ("GPUClockThrottling", "True", ""),
    ],
)
def test_a_fault_is_what_a_cloud_says_of_a_gpu_that_does_not_work(
    kind: str, status: str, fault: str
) -> None:
    ready = {"type": "Ready", "status": "True"}
    assert objects.gpu_fault({"conditions": [ready, {"type": kind, "status": status}]}) == fault


def test_what_is_null_reads_as_what_is_absent() -> None:
    """Go writes null for a list that is empty."""
    spec = {"containers": [{"resources": {"limits": None}}], "initContainers": None}
    assert objects.pod_devices(spec) == ()
    assert objects.condition({"conditions": None}, "Ready") == {}
    meta = {"namespace": "ns", "name": "p", "labels": None, "ownerReferences": None}
    assert objects.workload(meta).label == "Pod/p"
