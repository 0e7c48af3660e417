"""A node that is bought from Karpenter, used, and given back."""

import pytest

from deploy.local import claims, processes
from tests.apiserver import until
from tests.karpenter import market
from tests.karpenter.team import SECONDS, Object, Team, conditions, labels, name

pytestmark = [pytest.mark.karpenter, pytest.mark.timeout(300)]


def test_a_waiting_pod_gets_a_node_from_karpenter_which_goes_back_when_it_is_idle(
    team: Team,
) -> None:
    """Launched, registered and initialised by Karpenter; its finalizers let go of both."""
    with team.planner("--idle-ttl=1s"):
        team.deploy("chat", instance_types=market.SMALL)
        claim = _ready(team)
        until(lambda: team.phases() == ["Running"], SECONDS)
        (node,) = team.nodes()
        assert claim["status"]["nodeName"] == name(node)
        assert labels(node)["kaito.sh/claim"] == name(claim)
        assert labels(node)["karpenter.sh/capacity-type"] == "on-demand"
        assert [taint["key"] for taint in node["spec"]["taints"]] == ["sku"]
        for kept in (claim, node):
            assert kept["metadata"]["finalizers"] == ["karpenter.sh/termination"]
        team.undeploy("chat")
        until(lambda: not team.claims() and not team.nodes(), SECONDS)


def test_a_node_without_its_gpu_stays_in_flight_for_karpenter_and_for_the_planner(
    team: Team,
) -> None:
    """A second pod makes the planner decide again: it buys for that pod and not for the first."""
    with team.planner():
        team.deploy("chat", instance_types=market.SLOW)
        until(lambda: _initialized(team) == ["ResourceNotRegistered"], SECONDS)
        team.scale("chat", 2)
        until(lambda: _initialized(team) == ["ResourceNotRegistered"] * 2, SECONDS)
        _report_gpus(team)
        until(lambda: _initialized(team) == ["Initialized"] * 2, SECONDS)
        until(lambda: team.phases() == ["Running"] * 2, SECONDS)
        assert len(team.claims()) == 2


def test_a_node_that_is_deleted_by_hand_takes_its_claim_along_and_is_bought_again(
    team: Team,
) -> None:
    """C9."""
    with team.planner():
        team.deploy("chat", instance_types=market.SMALL)
        first = _ready(team)
        team.api.delete(f"/api/v1/nodes/{first['status']['nodeName']}")
        until(lambda: first["metadata"]["uid"] not in _uids(team), SECONDS)
        until(lambda: team.phases() == ["Running"] and len(team.nodes()) == 1, SECONDS)
        assert len(team.claims()) == 1
        assert name(team.nodes()[0]) != first["status"]["nodeName"]


def test_a_claim_that_is_deleted_by_hand_is_bought_again(team: Team) -> None:
    with team.planner():
        team.deploy("chat", instance_types=market.SMALL)
        first = _ready(team)
        team.api.delete(f"{claims.COLLECTION}/{name(first)}")
        until(lambda: first["metadata"]["uid"] not in _uids(team), SECONDS)
        until(lambda: team.phases() == ["Running"] and len(team.nodes()) == 1, SECONDS)
        assert len(team.claims()) == 1


def test_karpenter_may_die_while_claims_are_open(
    team: Team, provider: processes.Supervisor
) -> None:
    """C7: one claim is between registered and initialised, another comes while nobody serves it."""
    with team.planner():
        team.deploy("chat", instance_types=market.SLOW)
        until(lambda: _initialized(team) == ["ResourceNotRegistered"], SECONDS)
        processes.kill([provider.pid("karpenter")])
        team.scale("chat", 2)
        until(lambda: _initialized(team) == ["ResourceNotRegistered"] * 2, SECONDS)
        _report_gpus(team)
        until(lambda: team.phases() == ["Running"] * 2, SECONDS)
        assert len(team.claims()) == len(team.nodes()) == 2


def _ready(team: Team) -> Object:
    """The one claim, once Karpenter says that its node is all there."""

    def ready() -> Object | None:
        found = team.claims()
        return found[0] if found and conditions(found[0]).get("Ready") == "True" else None

    return dict(until(ready, SECONDS))


def _report_gpus(team: Team) -> None:
    """What a device plugin does, on every node."""
    for node in team.nodes():
        amounts = {**node["status"]["allocatable"], "nvidia.com/gpu": "1"}
        status = {"status": {"capacity": amounts, "allocatable": amounts}}
        team.api.patch(f"/api/v1/nodes/{name(node)}/status", status)


def _uids(team: Team) -> set[str]:
    return {claim["metadata"]["uid"] for claim in team.claims()}


def _initialized(team: Team) -> list[str]:
    """Reasons of the claims' condition Initialized."""
    return [
        condition["reason"]
        for claim in team.claims()
        for condition in claim.get("status", {}).get("conditions", ())
        if condition["type"] == "Initialized"
    ]
