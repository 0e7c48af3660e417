"""What waiting pods are told."""

from node_provisioner import demand, limits, plan, supply, telling, views
from tests.node_provisioner import objects

_GATE = {"schedulingGates": [{"name": "kaito.sh/provisioning"}]}


def test_a_pod_that_waits_for_the_nodes_of_others_is_told() -> None:
    """Two pods start together: for one there is a node, for the other one is on its way."""
    pods = [objects.pod_view(name, spec_changes=_GATE) for name in "ab"]
    node = objects.node_view("n1", claim="ws1")
    claims = [objects.claim_view("ws1", node="n1"), objects.claim_view("ws2")]
    bins = supply.bins((), [node], claims, fresh=("n1", "ws2"))
    demands = demand.unmet(pods, {views.Workload("default", "Deployment", "chat"): 2})
    decided = plan.plan(demands, bins, limits.Limits(10), plan.Past(), existing=claims)
    known = telling.Known((), lambda _: "", lambda *_: "")
    said = {s.reason.sentence for s in telling.sentences(pods, decided, known)}
    assert said == {
        "waiting for the nodes of the pods that start together with it",
        "waiting for the node of NodeClaim ws2 (Standard_NC6s_v3)",
    }
