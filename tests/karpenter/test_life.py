"""A node that is bought from Karpenter, used, and given back."""

import pytest

from tests.apiserver import until
from tests.karpenter import market
from tests.karpenter.team import SECONDS, Team, conditions

pytestmark = [pytest.mark.karpenter, pytest.mark.timeout(240)]


def test_a_waiting_pod_gets_a_node_from_karpenter_which_goes_back_when_it_is_idle(
    team: Team,
) -> None:
    """Launched, registered and initialised by Karpenter; its finalizers let go of both."""
    with team.planner("--idle-ttl=1s"):
        team.deploy("chat", instance_types=market.SMALL)
        until(lambda: team.phases() == ["Running"], SECONDS)
        (claim,), (node,) = team.claims(), team.nodes()
        reached = ("Launched", "Registered", "Initialized", "Ready")
        assert {kind: conditions(claim).get(kind) for kind in reached} == dict.fromkeys(
            reached, "True"
        )
        assert claim["status"]["nodeName"] == node["metadata"]["name"]
        labels = node["metadata"]["labels"]
        assert labels["kaito.sh/claim"] == claim["metadata"]["name"]
        assert labels["karpenter.sh/capacity-type"] == "on-demand"
        assert [taint["key"] for taint in node["spec"]["taints"]] == ["sku"]
        for kept in (claim, node):
            assert kept["metadata"]["finalizers"] == ["karpenter.sh/termination"]
        team.undeploy("chat")
        until(lambda: not team.claims() and not team.nodes(), SECONDS)
