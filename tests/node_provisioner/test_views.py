"""What is read of raw objects."""

from typing import Any

import pytest

from kubeapi import api
from node_provisioner import views
from node_provisioner.views import Standing
from tests.node_provisioner import objects


def test_a_managed_unschedulable_pod_shows_its_workload_and_spec() -> None:
    view = objects.pod_view("a")
    assert view.workload == views.Workload("default", "Deployment", "chat")
    assert (view.spec, view.problem, view.standing) == (objects.SPEC, "", Standing.REFUSED)
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
    assert views.pod(objects.strangers("a", "n1")) is None


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        pytest.param({"conditions": [objects.UNSCHEDULABLE]}, Standing.REFUSED, id="no node fits"),
        pytest.param({}, Standing.UNJUDGED, id="not looked at yet"),
        pytest.param(
            {"conditions": [objects.UNSCHEDULABLE | {"reason": "SchedulerError"}]},
            Standing.UNJUDGED,
            id="an extender failed",
        ),
        pytest.param(
            {"conditions": [objects.UNSCHEDULABLE], "nominatedNodeName": "n1"},
            Standing.UNJUDGED,
            id="a preemption is under way",
        ),
    ],
)
def test_only_the_schedulers_verdict_makes_a_pod_refused(
    status: dict[str, object], standing: Standing
) -> None:
    raw = objects.pod("a") | {"status": {"phase": "Pending"} | status}
    view = views.pod(raw)
    assert view is not None
    assert view.standing is standing


@pytest.mark.parametrize(
    ("gates", "standing"),
    [
        (["kaito.sh/provisioning"], Standing.GATED),
        (["kaito.sh/provisioning", "team/quota"], Standing.HELD),
        (["team/quota"], Standing.HELD),
    ],
)
def test_our_gate_alone_is_ours_to_lift(gates: list[str], standing: Standing) -> None:
    view = objects.pod_view("a", spec_changes={"schedulingGates": [{"name": g} for g in gates]})
    assert view.standing is standing


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


def test_a_claim_that_nobody_has_looked_at_yet_has_no_trouble() -> None:
    """Karpenter starts every condition so; it would hide what is said elsewhere."""
    labels = {"kaito.sh/claim": "ws1"}
    raw: api.Object = {"metadata": {"name": "ws1", "labels": labels}, "spec": {}}
    objects.awaiting_reconciliation(raw)
    view = views.claim(raw)
    assert view is not None
    assert not view.trouble
