"""Plainsail's claims beside Karpenter's own NodePools: neither takes the other's pods or nodes."""

import pytest

from presets import scheduling
from tests.apiserver import until
from tests.karpenter import market
from tests.karpenter.team import SECONDS, Team, conditions, name

pytestmark = [pytest.mark.karpenter, pytest.mark.timeout(300)]

_PLAIN = {
    "containers": [{"name": "c", "image": "c", "resources": {"requests": {"cpu": "1"}}}],
    "terminationGracePeriodSeconds": 0,
}


def test_karpenter_takes_its_own_idle_node_away_and_leaves_ours_which_is_as_idle(
    team: Team,
) -> None:
    """Each buys for its own pod; that Karpenter's node goes shows that it looked for idle ones."""
    team.apply_node_pool("general", market.WITHOUT_GPU)
    with team.planner("--idle-ttl=1h"):
        team.deploy("chat", instance_types=market.SMALL)
        team.pod("plain", _PLAIN)
        until(lambda: team.phases() == ["Running"] * 2, SECONDS)
        (ours,), (theirs,) = team.ours(), team.theirs()
        team.undeploy("chat")
        team.api.delete(f"/api/v1/namespaces/{team.namespace}/pods/plain")
        until(lambda: not team.theirs(), 2 * SECONDS)
        assert "DisruptionTerminating" in team.said(name(theirs))
        assert "DisruptionTerminating" not in team.said(name(ours))
        assert [name(claim) for claim in team.claims()] == [name(ours)]
        assert conditions(team.claims()[0])["Ready"] == "True"


def test_karpenter_counts_on_the_node_that_we_bought_and_buys_none_beside_it(team: Team) -> None:
    """A NodePool that would fit appears while our node boots."""
    team.apply_node_class(delay="15s")
    with team.planner():
        team.deploy("chat", marked=False, instance_types=market.SMALL)
        (claim,) = until(team.claims, SECONDS)
        team.apply_node_pool("gpu", market.SMALL)
        counted = f"Pod should schedule on: nodeclaim/{name(claim)}"
        until(lambda: counted in team.said("chat").get("Nominated", ()), SECONDS)
        until(lambda: team.phases() == ["Running"], SECONDS)
        assert [name(claim) for claim in team.claims()] == [name(claim)]


def test_karpenter_never_buys_for_a_pod_that_carries_our_marker(team: Team) -> None:
    """It buys for a pod without the marker, from a NodePool that would fit both.

    The planner is away; when it comes, the marked pod gets its node, from our own scheduler.
    """
    team.apply_node_pool("gpu", market.SMALL, market.MEDIUM)
    team.deploy("marked", instance_types=market.SMALL)
    team.deploy("unmarked", marked=False, instance_types=market.MEDIUM)
    until(lambda: sorted(team.phases()) == ["Pending", "Running"], SECONDS)
    until(lambda: "FailedScheduling" in team.said("marked"), SECONDS)
    assert "Nominated" in team.said("unmarked")
    assert len(team.claims()) == 1
    with team.planner():
        until(lambda: team.phases() == ["Running"] * 2, SECONDS)
    assert (len(team.ours()), len(team.theirs())) == (1, 1)
    assert "Nominated" not in team.said("marked")


def test_a_marked_node_of_ours_leads_karpenter_to_buy_for_no_marked_pod(team: Team) -> None:
    """The node is full, and Karpenter could buy one of its type; for others it does buy."""
    with team.planner():
        team.deploy("first", instance_types=market.SMALL)
        until(lambda: team.phases() == ["Running"], SECONDS)
    (node,) = team.nodes()
    lost = {"status": {"allocatable": {scheduling.MARKER: "0"}}}
    team.api.patch(f"/api/v1/nodes/{name(node)}/status", lost)
    until(lambda: team.nodes()[0]["status"]["allocatable"][scheduling.MARKER] == "1k", SECONDS)
    team.apply_node_pool("gpu", market.SMALL, market.MEDIUM)
    team.deploy("second", instance_types=market.SMALL)
    until(lambda: "FailedScheduling" in team.said("second"), SECONDS)
    team.deploy("unmarked", marked=False, instance_types=market.MEDIUM)
    until(lambda: sorted(team.phases()) == ["Pending", "Running", "Running"], SECONDS)
    assert "Nominated" in team.said("unmarked")
    assert "Nominated" not in team.said("second")
    assert (len(team.ours()), len(team.theirs())) == (1, 1)
