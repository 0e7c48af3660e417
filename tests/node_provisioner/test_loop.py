"""The planner against an API server in memory, through faults and restarts.

A provider is played by the tests: claims are fulfilled, refused or forgotten by hand.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kubeapi import api
from node_provisioner import settings
from tests import apiserver
from tests.apiserver import until
from tests.node_provisioner import objects, playing
from tests.node_provisioner.conftest import FAST, Start

pytestmark = pytest.mark.slow  # mostly waits


def test_an_unschedulable_pod_gets_one_claim_and_is_told(
    server: apiserver.ApiServer, start: Start
) -> None:
    start()
    claim = playing.bought(server)
    assert claim["metadata"]["annotations"]["kaito.sh/workload-name"] == "Deployment/chat"
    said = playing.event(server, "NodeRequested")
    assert claim["metadata"]["name"] in said["message"]
    assert (said["involvedObject"]["name"], said["type"]) == ("a", "Normal")
    assert len(server.all("events")) == 1


def test_pods_that_were_waiting_before_the_start_are_served(
    server: apiserver.ApiServer, start: Start
) -> None:
    for name in ("a", "b"):
        server.put("pods", objects.pod(name))
    start()
    playing.claims(server, 2)


def test_a_node_that_joins_is_not_bought_again_at_any_step(
    server: apiserver.ApiServer, start: Start
) -> None:
    """In flight: no node, node not Ready, Ready without its GPU, GPU there, initialised, bound."""
    start()
    server.put("pods", objects.pod("a"))
    name = playing.claims(server)[0]["metadata"]["name"]
    for node in (
        objects.node("n1", claim=name, ready=False, gpus=0),
        objects.node("n1", claim=name, gpus=0),
        objects.node("n1", claim=name),
    ):
        server.put("nodes", node)
        playing.claims(server)
    server.change("nodeclaims", name, objects.initialized)
    playing.claims(server)
    server.put("pods", objects.bound("a", "n1"))
    playing.claims(server)


def test_a_restart_at_any_point_buys_nothing_twice(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("pods", objects.pod("a"))
    start()
    playing.claims(server)
    start()
    playing.claims(server)


def test_two_planners_at_once_buy_once(server: apiserver.ApiServer, start: Start) -> None:
    start()
    start()
    for i in range(5):
        server.put("pods", objects.pod(f"p{i}"))
    playing.claims(server, 5)


def test_a_claim_whose_answer_was_lost_is_adopted(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API server created it, and the connection died before it could say so."""
    started = start()
    create = started._cloud.create
    lost = [True]

    def lossy(claim: Any) -> Any:
        created = create(claim)
        if lost and lost.pop():
            raise api.Unavailable(0, "AnswerLost", "connection reset")
        return created

    monkeypatch.setattr(started._cloud, "create", lossy)
    server.put("pods", objects.pod("a"))
    playing.claims(server)


def test_a_name_that_belongs_to_something_else_is_passed_over(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("pods", objects.pod("a"))
    start()
    name = playing.claims(server)[0]["metadata"]["name"]
    server.remove("nodeclaims", name)
    server.remove("pods", "default/a")
    foreign = {"metadata": {"name": name, "labels": {"team": "b"}}, "spec": {}}
    server.put("nodeclaims", foreign)
    start()
    server.put("pods", objects.pod("b"))
    found = {claim["metadata"]["name"]: claim for claim in playing.claims(server, 2)}
    assert found[name]["metadata"]["labels"] == {"team": "b"}


@pytest.mark.parametrize("fault", ["drop", "compact", "restart"])
def test_whatever_happens_to_its_watches_it_decides_the_same(
    server: apiserver.ApiServer, start: Start, fault: str
) -> None:
    def restart() -> None:
        server.stop()
        server.start()

    acts: dict[str, Callable[[], None]] = {
        "drop": server.drop_watches,
        "compact": server.compact,
        "restart": restart,
    }
    start()
    for i in range(4):
        acts[fault]()
        server.put("pods", objects.pod(f"p{i}"))
    playing.claims(server, 4)


def test_a_foreign_gpu_that_the_scheduler_does_not_use_stops_counting(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node_provisioner.freshness.GRACE_SECONDS", 0.6)
    server.put("nodes", objects.node("own"))
    server.put("pods", objects.pod("a"))
    start()
    time.sleep(playing.QUIET_SECONDS)
    assert server.all("nodeclaims") == []
    playing.claims(server)


def test_a_pod_without_a_readable_spec_is_told(server: apiserver.ApiServer, start: Start) -> None:
    start()
    server.put("pods", objects.pod("a", metadata={"annotations": {}}))
    assert (
        "kaito.sh/provision-spec is missing"
        in playing.event(server, "MalformedProvisionSpec")["message"]
    )
    assert server.all("nodeclaims") == []


def test_an_event_is_said_once_over_restarts(server: apiserver.ApiServer, start: Start) -> None:
    server.put("pods", objects.pod("a", metadata={"annotations": {}}))
    for starts in (1, 2):
        start()
        until(lambda n=starts: server.count("POST", "events") == n)  # type: ignore[misc]  # the default binds the loop's value
    assert len(server.all("events")) == 1


def test_of_two_planners_with_a_lease_one_acts(server: apiserver.ApiServer, start: Start) -> None:
    def of(identity: str) -> settings.Settings:
        return replace(FAST, lease=("plainsail-system", "planner"), identity=identity)

    one = start(of("one"))
    until(lambda: one._election is not None and one._election.leads)
    two = start(of("two"))
    until(lambda: not two._metrics.leads)
    server.put("pods", objects.pod("a"))
    playing.claims(server)
    assert two._election is not None
    assert not two._election.leads
    assert server.all("leases")[0]["spec"]["holderIdentity"] == "one"
