"""Claims and nodes that go back, against an API server in memory."""

import time
from dataclasses import replace

import pytest

from kubeapi import api
from tests import apiserver
from tests.apiserver import until
from tests.node_provisioner import objects, playing
from tests.node_provisioner.conftest import FAST, Start

pytestmark = pytest.mark.slow  # mostly waits


def test_a_node_is_closed_and_looked_at_again_before_it_is_given_back(
    server: apiserver.ApiServer, start: Start
) -> None:
    start(replace(FAST, idle_ttl_seconds=0.1))
    playing.served(server)
    until(lambda: server.all("nodes")[0]["spec"].get("unschedulable"))
    assert server.all("nodes")[0]["metadata"]["annotations"]["kaito.sh/draining"]
    assert len(server.all("nodeclaims")) == 1
    until(lambda: server.all("nodeclaims") == [])
    assert "given back" in playing.event(server, "NodeGivenBack")["message"]


def test_demand_that_returns_while_a_node_is_closed_opens_it_again(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P22."""
    start(replace(FAST, idle_ttl_seconds=0.1))
    playing.served(server)
    until(lambda: server.all("nodes")[0]["spec"].get("unschedulable"))
    server.put("pods", objects.pod("b"))
    until(lambda: not server.all("nodes")[0]["spec"].get("unschedulable"))
    assert "kaito.sh/draining" not in server.all("nodes")[0]["metadata"]["annotations"]
    playing.claims(server)


def test_a_pod_that_came_before_the_node_was_closed_keeps_it(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P22, at the very moment of the re-check."""
    start(replace(FAST, idle_ttl_seconds=0.1))
    playing.served(server)
    until(lambda: server.all("nodes")[0]["spec"].get("unschedulable"))
    server.put("pods", objects.strangers("web", "n1"))
    until(lambda: not server.all("nodes")[0]["spec"].get("unschedulable"))
    assert len(server.all("nodeclaims")) == 1


def test_a_pod_that_cannot_be_read_keeps_its_node(
    server: apiserver.ApiServer, start: Start
) -> None:
    """The planner does not know of it; before a node is closed the API server is asked."""
    planner = start(replace(FAST, idle_ttl_seconds=0.1))
    unreadable = objects.strangers("web", "n1")
    unreadable["spec"]["containers"] = [None]
    server.put("pods", unreadable)
    playing.served(server)
    time.sleep(2.0)  # else it is closed after one second
    assert planner._metrics.unreadable == 1
    assert len(server.all("nodeclaims")) == 1
    assert not server.all("nodes")[0].get("spec", {}).get("unschedulable")
    server.remove("pods", "default/web")
    until(lambda: server.all("nodeclaims") == [])
    until(lambda: planner._metrics.unreadable == 0)


def test_what_another_planner_gave_back_was_not_refused(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P2: else the two would count attempts differently, and buy under different names."""
    start(replace(FAST, surplus_ttl_seconds=60.0))
    claim = playing.bought(server)
    said = playing.event_about(claim, "no pod needed it") | {
        "reason": "NodeGivenBack",
        "type": "Normal",
    }
    server.put("events", said)
    server.remove("nodeclaims", claim["metadata"]["name"])
    (again,) = playing.claims(server)
    assert again["metadata"]["name"] == claim["metadata"]["name"]
    assert again["metadata"]["uid"] != claim["metadata"]["uid"]


def test_planners_that_know_of_a_node_for_longer_and_shorter_do_not_take_turns(
    server: apiserver.ApiServer, start: Start
) -> None:
    """One closes the idle node; the other would wait longer, and leaves it closed."""
    start(replace(FAST, idle_ttl_seconds=60.0))
    claim = playing.served(server)
    marked = {"annotations": {"kaito.sh/draining": claim["metadata"]["name"]}}
    closed = objects.node("n1", claim=claim["metadata"]["name"]) | {"spec": {"unschedulable": True}}
    closed["metadata"] |= marked
    server.put("nodes", closed)
    time.sleep(2 * playing.QUIET_SECONDS)
    assert server.count("PATCH", "nodes") == 0
    assert len(server.all("nodeclaims")) == 1


def test_a_node_that_somebody_closed_is_not_opened(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("nodes", objects.node("own") | {"spec": {"unschedulable": True}})
    server.put("pods", objects.pod("a"))
    start()
    playing.claims(server)
    assert server.count("PATCH", "nodes") == 0


def test_claims_that_a_smaller_workload_does_not_need_go_before_their_nodes_come(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P8: scaled from four to one while all are launching."""
    start(replace(FAST, surplus_ttl_seconds=0.3))
    for i in range(4):
        server.put("pods", objects.pod(f"p{i}"))
    playing.claims(server, 4)
    for i in range(3):
        server.remove("pods", f"default/p{i}")
    until(lambda: len(server.all("nodeclaims")) == 1)
    time.sleep(2 * playing.QUIET_SECONDS)
    assert len(server.all("nodeclaims")) == 1


def test_a_claim_that_does_not_go_is_told_and_does_not_make_a_storm(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C11: its finalizer is never removed."""
    monkeypatch.setattr("node_provisioner.upkeep.STUCK_SECONDS", 0.2)

    def hold(plural: str, claim: api.Object) -> None:
        if plural == "nodeclaims":
            name = claim["metadata"]["name"]
            server.change(plural, name, lambda o: o["metadata"].update(finalizers=["x/y"]))

    server.on_create = hold
    start(replace(FAST, surplus_ttl_seconds=0.2))
    server.put("pods", objects.pod("a"))
    playing.claims(server)
    server.remove("pods", "default/a")
    assert "metadata.finalizers" in playing.event(server, "ClaimStuck")["message"]
    server.put("pods", objects.pod("b"))
    playing.claims(server, 2)


def test_a_node_whose_claim_is_gone_is_told(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C10: the claim was deleted by hand, and its machine came nevertheless."""
    monkeypatch.setattr("node_provisioner.upkeep.STUCK_SECONDS", 0.2)
    server.put("nodes", objects.node("n1", claim="ws0"))
    start()
    said = playing.event(server, "NodeLeaked")
    assert (said["involvedObject"]["kind"], said["involvedObject"]["name"]) == ("Node", "n1")


def test_an_idle_node_is_given_back_after_the_ttl_and_not_before(
    server: apiserver.ApiServer, start: Start
) -> None:
    start(replace(FAST, idle_ttl_seconds=0.8))
    playing.fulfil(server, playing.bought(server))
    server.put("pods", objects.bound("a", "n1"))
    idle = time.monotonic()
    server.remove("pods", "default/a")
    until(lambda: server.all("nodes")[0]["spec"].get("unschedulable"))
    assert time.monotonic() - idle >= 0.8
    until(lambda: server.all("nodeclaims") == [])
    assert server.count("DELETE", "nodes") == 0


def test_a_node_with_anybody_elses_pod_is_kept(server: apiserver.ApiServer, start: Start) -> None:
    start(replace(FAST, idle_ttl_seconds=0.2))
    playing.fulfil(server, playing.bought(server))
    server.put("pods", objects.strangers("web", "n1"))
    server.remove("pods", "default/a")
    time.sleep(0.6)
    assert len(server.all("nodeclaims")) == 1
    server.remove("pods", "default/web")
    until(lambda: server.all("nodeclaims") == [])


def test_a_claim_whose_workload_went_before_its_node_came_is_given_back(
    server: apiserver.ApiServer, start: Start
) -> None:
    start(replace(FAST, idle_ttl_seconds=0.3))
    server.put("pods", objects.pod("a"))
    until(lambda: len(server.all("nodeclaims")) == 1)
    server.remove("pods", "default/a")
    until(lambda: server.all("nodeclaims") == [])
    server.put("pods", objects.pod("b"))
    assert "attempt 1/1" in playing.event(server, "NodeRequested")["message"]
    playing.claims(server)


def test_a_claim_that_is_not_ours_is_never_touched(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("nodeclaims", {"metadata": {"name": "theirs", "labels": {}}, "spec": {}})
    server.put("nodes", objects.node("their-node"))
    start(replace(FAST, idle_ttl_seconds=0.1))
    time.sleep(0.5)
    assert len(server.all("nodeclaims")) == 1


def test_a_node_that_never_becomes_usable_is_replaced(
    server: apiserver.ApiServer, start: Start
) -> None:
    start(replace(FAST, launch_timeout_seconds=0.4))
    server.put("pods", objects.pod("a", spec=playing.TWO_TYPES))
    until(lambda: playing.types(server) == ["Standard_NC24ads_A100_v4"])


def test_a_claim_is_never_changed(server: apiserver.ApiServer, start: Start) -> None:
    """C17: its spec is immutable, and its status is its provider's."""
    start(replace(FAST, idle_ttl_seconds=0.1))
    playing.served(server)
    until(lambda: server.all("nodeclaims") == [])
    assert server.count("PATCH", "nodeclaims") == 0
    assert server.count("PUT", "nodeclaims") == 0
