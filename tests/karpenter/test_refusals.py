"""Karpenter gives no node: it deletes the claim, and the planner finds out why and goes on."""

import pytest

from tests.apiserver import until
from tests.karpenter import market as sold
from tests.karpenter.market import Market
from tests.karpenter.team import NODE_CLASSES, SECONDS, Team, labels

pytestmark = [pytest.mark.karpenter, pytest.mark.timeout(300)]


def test_without_capacity_the_next_offer_is_taken_in_the_users_order(
    team: Team, market: Market
) -> None:
    """C1: no small machine at all, no medium one on spot: the medium one on demand it is."""
    none = [(sold.SMALL, "spot"), (sold.SMALL, "on-demand"), (sold.MEDIUM, "spot")]
    market.sell(but=none)
    with team.planner():
        types = f"{sold.SMALL},{sold.MEDIUM}"
        team.deploy("chat", instance_types=types, capacity_type="spot,on-demand")
        until(lambda: team.phases() == ["Running"], SECONDS)
        (node,) = team.nodes()
        assert labels(node)["node.kubernetes.io/instance-type"] == sold.MEDIUM
        assert labels(node)["karpenter.sh/capacity-type"] == "on-demand"
        told = until(lambda: _requested(team, 4), SECONDS)
        for (kind, capacity), message in zip(
            [*none, (sold.MEDIUM, "on-demand")], told, strict=True
        ):
            assert f"created ({kind}, {capacity}" in message
        assert all("no capacity for" in message for message in told[1:])


def test_a_missing_node_class_is_named_and_waited_for(team: Team) -> None:
    """C4: buying pauses for everybody, is tried now and then, and goes on when it is there."""
    team.api.delete(f"{NODE_CLASSES}/default")
    with team.planner():
        team.deploy("chat", instance_types=sold.SMALL)
        until(lambda: len(_requested(team)) == 2, SECONDS)
        (paused, *_) = until(lambda: team.said("chat").get("BuyingPaused"), SECONDS)
        assert 'KWOKNodeClass.karpenter.kwok.sh "default" not found' in paused
        team.apply_node_class()
        until(lambda: team.phases() == ["Running"], SECONDS)
        assert len(team.claims()) == 1


def test_a_node_class_that_is_not_ready_is_named_though_karpenter_says_nothing(team: Team) -> None:
    """C4: Karpenter 1.14.1 deletes the claim without an event."""
    ready = {"type": "Ready", "status": "False", "reason": "SubnetsNotFound"}
    ready |= {"message": "no subnets match", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    path = f"{NODE_CLASSES}/default/status"
    team.api.patch(path, {"status": {"conditions": [ready]}})
    with team.planner():
        team.deploy("chat", instance_types=sold.SMALL)
        (paused, *_) = until(lambda: team.said("chat").get("BuyingPaused"), SECONDS)
        assert "kwoknodeclasses/default is not ready: SubnetsNotFound: no subnets match" in paused
        team.api.patch(path, {"status": {"conditions": [ready | {"status": "True"}]}})
        until(lambda: team.phases() == ["Running"], SECONDS)


def test_a_type_that_the_provider_does_not_know_is_given_up_at_once(team: Team) -> None:
    """C13: Karpenter keeps the claim for five minutes and buys nothing for anybody meanwhile."""
    with team.planner():
        team.deploy("chat", instance_types=f"Standard_NC40ads_H100_v5,{sold.SMALL}")
        until(lambda: team.phases() == ["Running"], SECONDS)
        assert [labels(node)["node.kubernetes.io/instance-type"] for node in team.nodes()] == [
            sold.SMALL
        ]
        assert "instance type not found" in _requested(team)[1]


def _requested(team: Team, least: int = 0) -> list[str]:
    """What the pod was told about purchases, in order."""
    told = team.said("chat", "Pod").get("NodeRequested", [])
    return told if len(told) >= least else []
