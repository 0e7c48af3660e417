"""The status of a NodeClaim follows its machine and its node, step by step."""

from typing import Any

from deploy.local import claims, instance_types

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"
CLAIM: dict[str, Any] = {
    "metadata": {"name": "ws1", "labels": {"kaito.sh/claim": "ws1"}},
    "spec": {
        "nodeClassRef": {"group": "plainsail.dev", "kind": "LocalMachineClass", "name": "default"},
        "requirements": [
            {"key": claims.INSTANCE_TYPE, "operator": "In", "values": ["x", "Standard_NC6s_v3"]},
        ],
        "resources": {"requests": {"nvidia.com/gpu": "1"}},
    },
}


def node(ready: str = "True", gpus: str = "1") -> dict[str, Any]:
    """A node as its kubelet reports it."""
    resources = {"cpu": "2", "nvidia.com/gpu": gpus}
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "capacity": resources,
        "allocatable": resources,
    }
    return {"metadata": {"name": "ws1"}, "status": status}


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Condition type -> status and message."""
    return {c["type"]: (c["status"], c["message"]) for c in status["conditions"]}


def test_without_a_node_it_is_launched_and_no_more() -> None:
    found = conditions(claims.status(CLAIM, "p://1", None, NOW))
    assert {kind: status for kind, (status, _) in found.items()} == {
        "Launched": "True",
        "Registered": "False",
        "Initialized": "False",
        "Ready": "Unknown",
    }


def test_a_ready_node_without_its_gpu_is_registered_and_not_initialized() -> None:
    """A node in flight until the device plugin reports: else a second one would be bought."""
    status = claims.status(CLAIM, "p://1", node(gpus="0"), NOW)
    assert conditions(status)["Registered"] == ("True", "")
    assert conditions(status)["Initialized"] == (
        "False",
        "the node does not report nvidia.com/gpu yet",
    )
    assert not claims.is_initialized(status)


def test_a_node_that_is_not_ready_is_not_initialized() -> None:
    status = claims.status(CLAIM, "p://1", node(ready="False"), NOW)
    assert conditions(status)["Initialized"] == ("False", "the node is not Ready")


def test_a_ready_node_with_its_gpu_is_initialized() -> None:
    status = claims.status(CLAIM, "p://1", node(), NOW)
    assert claims.is_initialized(status)
    assert conditions(status)["Ready"] == ("True", "")
    assert status["nodeName"] == "ws1"
    assert status["allocatable"]["nvidia.com/gpu"] == "1"


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    first = claims.status(CLAIM, "p://1", None, NOW)
    second = claims.status({**CLAIM, "status": first}, "p://1", node(), LATER)
    times = {c["type"]: c["lastTransitionTime"] for c in second["conditions"]}
    assert times == {"Launched": NOW, "Registered": LATER, "Initialized": LATER, "Ready": LATER}


def test_the_same_again_changes_nothing() -> None:
    first = claims.status(CLAIM, "p://1", node(), NOW)
    assert claims.status({**CLAIM, "status": first}, "p://1", node(), LATER) == first


def test_the_first_type_that_is_sold_wins() -> None:
    found = instance_types.first_known(claims.required(CLAIM, claims.INSTANCE_TYPE))
    assert found is not None
    assert found.name == "Standard_NC6s_v3"


def test_the_machine_carries_the_claims_labels_and_says_that_its_gpu_is_simulated() -> None:
    labels = claims.node_labels(CLAIM, instance_types.TYPES["Standard_NC6s_v3"])
    assert labels["kaito.sh/claim"] == "ws1"
    assert labels[claims.CAPACITY_TYPE] == "on-demand"
    assert labels["plainsail.dev/simulated-gpu"] == "true"


def test_a_foreign_node_class_is_not_ours() -> None:
    foreign = {"spec": {"nodeClassRef": {"group": "karpenter.azure.com"}}}
    assert claims.is_ours(CLAIM)
    assert not claims.is_ours(foreign)
