"""What is read of raw objects."""

from typing import Any

import pytest

from node_provisioner import views
from tests.node_provisioner import objects


def test_a_managed_unschedulable_pod_shows_its_workload_and_spec() -> None:
    view = objects.pod_view("a")
    assert view.workload == views.Workload("default", "Deployment", "chat")
    assert (view.spec, view.problem, view.unschedulable) == (objects.SPEC, "", True)
    assert view.devices == (("nvidia.com/gpu", 1),)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"status": {"phase": "Succeeded"}}, id="finished"),
        pytest.param({"metadata": {"deletionTimestamp": "now"}}, id="deleted before it was bound"),
        pytest.param({"metadata": {"labels": {}}}, id="waiting and not managed"),
    ],
)
def test_a_pod_of_no_interest_has_no_view(changes: dict[str, Any]) -> None:
    assert views.pod(objects.pod("a", **changes)) is None


def test_an_unmanaged_pod_on_a_node_is_seen_when_it_holds_a_device() -> None:
    foreign: dict[str, Any] = {"metadata": {"labels": {}}}
    view = views.pod(objects.bound("a", "n1", **foreign))
    assert view is not None
    assert (view.managed, view.node, view.devices) == (False, "n1", (("nvidia.com/gpu", 1),))
    assert views.pod(objects.bound("a", "n1", spec=None, **foreign)) == view
    plain = objects.bound("a", "n1", **foreign) | {"spec": {"nodeName": "n1", "containers": [{}]}}
    assert views.pod(plain) is None


@pytest.mark.parametrize(
    ("status", "unschedulable"),
    [
        pytest.param({"conditions": [objects.UNSCHEDULABLE]}, True, id="no node fits"),
        pytest.param({}, False, id="not looked at yet"),
        pytest.param(
            {"conditions": [objects.UNSCHEDULABLE | {"reason": "SchedulerError"}]},
            False,
            id="an extender failed",
        ),
        pytest.param(
            {"conditions": [objects.UNSCHEDULABLE | {"reason": "SchedulingGated"}]},
            False,
            id="gated",
        ),
        pytest.param(
            {"conditions": [objects.UNSCHEDULABLE], "nominatedNodeName": "n1"},
            False,
            id="a preemption is under way",
        ),
    ],
)
def test_only_the_schedulers_verdict_makes_a_pod_unschedulable(
    status: dict[str, object],
    unschedulable: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    raw = objects.pod("a") | {"status": {"phase": "Pending"} | status}
    view = views.pod(raw)
    assert view is not None
    assert view.unschedulable is unschedulable


@pytest.mark.parametrize(
    ("noted", "problem"),
    [
        pytest.param({}, "is missing", id="absent"),
        pytest.param({"kaito.sh/provision-spec": "{"}, "not JSON", id="malformed"),
    ],
)
def test_a_bad_provision_spec_is_kept_as_a_problem(noted: dict[str, str], problem: str) -> None:
    view = objects.pod_view("a", metadata={"annotations": noted})
    assert view.spec is None
    assert problem in view.problem


def test_standard_resources_are_no_devices() -> None:
    raw = objects.node("n1", gpus=2)
    raw["status"]["allocatable"] |= {
        "attachable-volumes.kubernetes.io/x": "3",
        "hugepages-2Mi": "1",
    }
    view = views.node(raw)
    assert view is not None
    assert view.devices == (("nvidia.com/gpu", 2),)


def test_a_node_with_a_faulty_gpu_is_not_ready() -> None:
    """Else its GPUs would count as free for pods that the extender keeps away from it."""
    raw = objects.node("n1")
    raw["status"]["conditions"].append({"type": "XIDErrors", "status": "True"})
    view = views.node(raw)
    assert view is not None
    assert not view.ready


def test_a_claimed_node_is_seen_before_it_shows_its_devices() -> None:
    view = views.node(objects.node("n1", gpus=0, claim="ws1"))
    assert view is not None
    assert (view.claim, view.devices) == ("ws1", ())
    assert views.node(objects.node("n1", gpus=0)) is None


def test_a_claim_of_another_program_has_no_view() -> None:
    labels = {"kaito.sh/claim": "ws-other"}
    assert views.claim({"metadata": {"name": "ws1", "labels": labels}, "spec": {}}) is None
