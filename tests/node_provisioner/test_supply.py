"""What waiting pods may count on.

Cases: claim (in flight, node joined, node Ready, device shown, initialised, terminating) x node
(absent, Ready or not, cordoned, with or without device, full) x ours or not x fresh or not.
"""

import pytest

from node_provisioner import supply, views
from tests.node_provisioner import objects

_GPU = "nvidia.com/gpu"


def _free(
    nodes: list[views.NodeView], claims: list[views.ClaimView], *, fresh: tuple[str, ...] = ()
) -> dict[str, int]:
    return {b.name: b.free for b in supply.bins((), nodes, claims, fresh=fresh)}


def _settled(nodes: list[views.NodeView], *, fresh: tuple[str, ...] = ()) -> dict[str, bool]:
    return {b.name: b.settled for b in supply.bins((), nodes, (), fresh=fresh)}


def test_a_claim_counts_from_its_creation() -> None:
    assert _free([], [objects.claim_view("ws1")]) == {"ws1": 1}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"ready": False}, id="not Ready"),
        pytest.param({"devices": ()}, id="Ready without its device"),
        pytest.param({"ready": False, "devices": ()}, id="neither"),
    ],
)
def test_a_node_that_cannot_be_used_yet_leaves_its_claim_in_flight(
    changes: dict[str, object],
) -> None:
    node = objects.node_view("n1", claim="ws1", **changes)
    assert _free([node], [objects.claim_view("ws1", node="n1")]) == {"ws1": 1}


def test_a_usable_node_is_counted_once_and_not_its_claim_too() -> None:
    node = objects.node_view("n1", claim="ws1")
    for initialized in (False, True):
        claim = objects.claim_view("ws1", initialized=initialized)
        assert _free([node], [claim]) == {"n1": 1}


def test_a_node_belongs_to_the_claim_that_names_it_without_a_label() -> None:
    node = objects.node_view("n1")
    assert _free([node], [objects.claim_view("ws1", node="n1")]) == {"n1": 1}


def test_an_initialised_claim_whose_node_is_not_seen_counts_only_while_fresh() -> None:
    """The watch of nodes may lag behind that of claims; a node deleted by hand does not come."""
    claim = objects.claim_view("ws1", initialized=True, node="n1")
    assert _free([], [claim], fresh=("ws1",)) == {"ws1": 1}
    assert _free([], [claim]) == {}


def test_a_claimed_node_survives_a_short_loss_of_readiness_only() -> None:
    claim = objects.claim_view("ws1", initialized=True, node="n1")
    node = objects.node_view("n1", claim="ws1", ready=False)
    assert _free([node], [claim], fresh=("n1",)) == {"n1": 1}
    assert _free([node], [claim]) == {}


def test_what_is_going_away_does_not_count() -> None:
    assert _free([], [objects.claim_view("ws1", terminating=True)]) == {}
    cordoned = objects.node_view("n1", claim="ws1", cordoned=True)
    assert _free([cordoned], [objects.claim_view("ws1")]) == {}


def test_what_a_pod_holds_counts_as_free_from_the_moment_it_ends() -> None:
    stamp: dict[str, object] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    node, ending = objects.node_view("n1"), views.pod(objects.bound("a", "n1", metadata=stamp))
    assert ending is not None
    for fresh, count in (((), 0), ((ending.uid,), 1)):
        (found,) = supply.bins([ending], [node], (), fresh=fresh)
        assert found.free == count


def test_a_node_is_settled_when_it_did_not_change_for_a_while() -> None:
    node = objects.node_view("n1")
    assert _settled([node], fresh=("n1",)) == {"n1": False}
    assert _settled([node]) == {"n1": True}
    assert _settled([objects.node_view("n1", ready=False)]) == {}


def test_pods_on_a_node_hold_their_devices_whoever_they_belong_to() -> None:
    node = objects.node_view("n1", claim="ws1", devices=((_GPU, 4),))
    held = views.pod(objects.bound("a", "n1", metadata={"labels": {}}))
    assert held is not None
    (found,) = supply.bins([held], [node], [objects.claim_view("ws1")], fresh=())
    assert (found.claim, found.node, found.free) == ("ws1", "n1", 3)
    assert (found.instance_type, found.workload) == ("Standard_NC6s_v3", "default/Deployment/chat")
