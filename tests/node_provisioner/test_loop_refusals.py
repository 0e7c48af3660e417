"""Purchases that are refused: what follows, and what is said, against an API server in memory."""

import logging
import time
from dataclasses import replace

import pytest

from kubeapi import api
from tests import apiserver
from tests.apiserver import until
from tests.node_provisioner import objects, playing
from tests.node_provisioner.conftest import FAST, Start

pytestmark = pytest.mark.slow  # mostly waits


@pytest.mark.parametrize("terminating_first", [False, True])
def test_a_refused_claim_is_followed_by_the_next_type(
    server: apiserver.ApiServer,
    start: Start,
    terminating_first: bool,  # noqa: FBT001 - a case
) -> None:
    def terminate(claim: api.Object) -> None:
        stamp = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
        name = claim["metadata"]["name"]
        server.change("nodeclaims", name, lambda o: o["metadata"].update(stamp))

    playing.refuse(server, "Standard_NC6s_v3", terminate if terminating_first else None)
    start()
    server.put("pods", objects.pod("a", spec=playing.TWO_TYPES))
    until(lambda: playing.types(server) == ["Standard_NC24ads_A100_v4"])
    said = until(
        lambda: [e["message"] for e in server.all("events") if "attempt 2/2 after" in e["message"]]
    )
    assert "ended before its node was usable" in said[0]


def test_when_every_offer_is_refused_the_pod_is_told_and_nothing_spins(
    server: apiserver.ApiServer, start: Start
) -> None:
    playing.refuse(server)
    start()
    server.put("pods", objects.pod("a"))
    assert "every offer was refused" in playing.event(server, "NodeUnavailable")["message"]
    time.sleep(playing.QUIET_SECONDS)
    assert server.count("POST", "nodeclaims") == 1


def test_the_reason_of_a_refusal_is_what_karpenter_said_before_it_let_the_claim_go(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C4, as Karpenter 1.14.1 does it: nothing in the conditions, and two Warnings."""
    why = 'insufficient capacity, KWOKNodeClass.karpenter.kwok.sh "default" not found'
    warnings = (("InsufficientCapacityError", why), ("TerminationGracePeriodExpiring", "by 18:30"))

    def warn(claim: api.Object) -> None:
        name, uid = claim["metadata"]["name"], claim["metadata"]["uid"]
        server.change("nodeclaims", name, objects.awaiting_reconciliation)
        for second, (reason, message) in enumerate(warnings):
            meta = {"name": f"{name}.{second}", "namespace": "default"}
            said = {"reason": reason, "message": message, "type": "Warning"}
            at = {"lastTimestamp": f"2026-01-01T00:00:0{second}Z"}
            server.put("events", {"metadata": meta, "involvedObject": {"uid": uid}, **said, **at})

    playing.refuse(server, first=warn)
    start()
    server.put("pods", objects.pod("a"))
    assert why in playing.event(server, "BuyingPaused")["message"]


@pytest.mark.parametrize(
    ("node_class", "why"),
    [
        (None, "node class kwoknodeclasses/default is missing"),
        ("False", "node class kwoknodeclasses/default is not ready: SubnetsNotFound: none match"),
    ],
    ids=["missing", "not ready"],
)
def test_a_claim_that_goes_without_a_word_is_explained_by_its_node_class(
    server: apiserver.ApiServer, start: Start, node_class: str | None, why: str
) -> None:
    """C4: Karpenter 1.14.1 deletes claims of a class that is not ready, and says nothing."""
    if node_class:
        ready = {"type": "Ready", "status": node_class, "reason": "SubnetsNotFound"}
        status = {"conditions": [{**ready, "message": "none match"}]}
        server.put("kwoknodeclasses", {"metadata": {"name": "default"}, "status": status})
    playing.refuse(server)
    start(replace(FAST, dialect="kwok"))
    server.put("pods", objects.pod("a"))
    assert why in playing.event(server, "BuyingPaused")["message"]


def test_a_refused_offer_is_tried_again_after_its_bar(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node_provisioner.bars.BAR_SECONDS", 0.3)
    start()
    claim = playing.bought(server)
    server.put("events", playing.event_about(claim, "none left"))
    server.remove("nodeclaims", claim["metadata"]["name"])
    playing.event(server, "NodeUnavailable")
    (again,) = playing.claims(server)
    assert again["metadata"]["name"] != claim["metadata"]["name"]


def test_a_claim_that_is_deleted_by_hand_is_bought_again_in_a_moment(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before there is a machine its provider may have done it, and said nothing."""
    monkeypatch.setattr("node_provisioner.lifecycle._PAUSE_SECONDS", 0.3)
    start()
    claim = playing.bought(server)
    server.remove("nodeclaims", claim["metadata"]["name"])
    playing.event(server, "NodeUnavailable")
    playing.claims(server)


def test_a_claim_that_is_deleted_from_its_machine_is_bought_again_at_once(
    server: apiserver.ApiServer, start: Start
) -> None:
    """The same offer, as nobody refused it, whatever its provider was waiting for."""
    start()
    claim = playing.bought(server, playing.TWO_TYPES)
    name = claim["metadata"]["name"]
    launched = {"type": "Launched", "status": "True"}
    waits = {"type": "Registered", "status": "Unknown", "reason": "NodeNotFound"}
    status = {"conditions": [launched, waits]}
    server.change("nodeclaims", name, lambda found: found.update(status=status))
    time.sleep(playing.QUIET_SECONDS)
    server.remove("nodeclaims", name)
    (again,) = playing.claims(server)
    assert playing.type_of(again) == "Standard_NC6s_v3"
    assert again["metadata"]["name"] != name


def test_words_that_come_after_a_claim_went_are_asked_for_once_more(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C1: Karpenter writes its Events apart from its deletions."""
    monkeypatch.setattr("node_provisioner.lifecycle.LATE_SECONDS", 0.3)
    start()
    server.put("deployments", playing.DEPLOYMENT)
    claim = playing.bought(server, playing.TWO_TYPES)
    server.remove("nodeclaims", claim["metadata"]["name"])
    until(lambda: playing.types(server) == ["Standard_NC24ads_A100_v4"])
    assert playing.told_workload(server, "ClaimRefused") == []
    server.put("events", playing.event_about(claim, "something new"))
    (said,) = until(lambda: playing.told_workload(server, "ClaimRefused"))
    assert "no capacity: InsufficientCapacityError: something new" in said


def test_a_claim_that_the_api_server_rejects_is_not_sent_again_and_again(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.refused["POST", "nodeclaims"] = 422
    start()
    server.put("pods", objects.pod("a"))
    playing.event(server, "NodeUnavailable")
    time.sleep(playing.QUIET_SECONDS)
    assert server.count("POST", "nodeclaims") == 1


@pytest.mark.parametrize("status", [403, 500])
def test_a_failing_create_is_tried_again_with_pauses(
    server: apiserver.ApiServer, start: Start, status: int
) -> None:
    server.refused["POST", "nodeclaims"] = status
    start()
    server.put("pods", objects.pod("a"))
    until(lambda: server.count("POST", "nodeclaims") == 1)
    time.sleep(playing.QUIET_SECONDS)
    assert server.count("POST", "nodeclaims") == 1
    server.refused.clear()
    playing.claims(server)


def test_a_missing_crd_is_waited_for(
    server: apiserver.ApiServer, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server.missing.add("nodeclaims")
    with caplog.at_level(logging.WARNING):
        start()
        server.put("pods", objects.pod("a"))
        until(lambda: '/nodeclaims error="404 NotFound' in caplog.text)
    server.missing.clear()
    playing.claims(server)


def test_a_workload_is_told_once_for_all_its_pods(
    server: apiserver.ApiServer, start: Start
) -> None:
    """I7: what was bought, at which price, which attempt; why it was refused; what comes next."""
    server.put("deployments", playing.DEPLOYMENT)
    for i in range(5):
        server.put("pods", objects.pod(f"p{i}", spec=playing.TWO_TYPES))
    start()
    claims = playing.claims(server, 5)
    (said,) = playing.told_workload(server, "NodeRequested")
    first = min(claims, key=lambda claim: int(claim["metadata"]["resourceVersion"]))
    expected = "and 2 more created (Standard_NC6s_v3, on-demand, $3.06/h), attempt 1/2; if it is"
    assert expected in said
    assert "next: Standard_NC24ads_A100_v4, on-demand" in said
    assert first["metadata"]["name"] in said


def test_a_refusal_is_told_in_the_providers_words_and_followed_by_the_next_offer(
    server: apiserver.ApiServer, start: Start
) -> None:
    def warn(claim: api.Object) -> None:
        server.put("events", playing.event_about(claim, "VcpuLimitExceeded: 80 vCPUs"))

    playing.refuse(server, "Standard_NC6s_v3", warn)
    server.put("deployments", playing.DEPLOYMENT)
    start()
    server.put("pods", objects.pod("a", spec=playing.TWO_TYPES))
    until(lambda: playing.types(server) == ["Standard_NC24ads_A100_v4"])
    until(lambda: playing.told_workload(server, "ClaimRefused"))
    words = "the quota is used up: VcpuLimitExceeded: 80 vCPUs"
    assert words in playing.told_workload(server, "ClaimRefused")[0]
    assert words in until(lambda: playing.told_workload(server, "NodeRequested")[1:])[0]
    assert [e for e in server.all("events") if e["involvedObject"]["kind"] == "NodeClaim"]


def test_a_claim_whose_provider_says_that_it_is_hopeless_is_not_waited_for(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C3: gpu-provisioner keeps such a claim for five minutes, with the cloud's words in it."""
    playing.fails(server, "SkuNotAvailable: not available in westus", "Standard_NC6s_v3")
    start()
    server.put("pods", objects.pod("a", spec=playing.TWO_TYPES))
    until(lambda: playing.types(server) == ["Standard_NC24ads_A100_v4"])
    assert "SkuNotAvailable" in playing.event(server, "ClaimRefused")["message"]


def test_an_operation_that_is_under_way_is_waited_for(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C7: a provisioner that was restarted finds its own operation."""
    playing.fails(server, "in progress create node pool operation")
    start()
    claim = playing.bought(server, playing.TWO_TYPES)
    assert playing.type_of(claim) == "Standard_NC6s_v3"


def test_a_list_that_cannot_be_read_is_told_to_the_pods_that_wait(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C8: no CRD."""
    server.missing.add("nodeclaims")
    start()
    server.put("pods", objects.pod("a"))
    assert "nodeclaims: 404 NotFound" in playing.event(server, "PlannerBlind")["message"]


@pytest.mark.parametrize("status", [403, 404])
def test_when_claims_cannot_be_created_at_all_the_pods_are_told(
    server: apiserver.ApiServer, start: Start, status: int
) -> None:
    server.refused["POST", "nodeclaims"] = status
    start()
    server.put("pods", objects.pod("a"))
    assert "NodeClaims cannot be created" in playing.event(server, "BuyingPaused")["message"]
