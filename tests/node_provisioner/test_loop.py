"""The planner against an API server in memory, through faults and restarts.

A provider is played by the tests: claims are fulfilled, refused or forgotten by hand.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kubeapi import api
from node_provisioner import settings
from presets import provision_spec
from tests import apiserver
from tests.apiserver import until
from tests.node_provisioner import objects
from tests.node_provisioner.conftest import FAST, Start

pytestmark = pytest.mark.slow  # mostly waits: over five seconds in all

_TWO_TYPES = provision_spec.ProvisionSpec(("Standard_NC6s_v3", "Standard_NC24ads_A100_v4"), 1)
_QUIET_SECONDS = 0.15
"""Long enough for several passes of the fast settings."""


def _claims(server: apiserver.ApiServer, count: int = 1) -> list[api.Object]:
    """The claims, once there are so many; and they stay so many."""
    until(lambda: len(server.all("nodeclaims")) == count)
    time.sleep(_QUIET_SECONDS)
    found = server.all("nodeclaims")
    assert len(found) == count
    return found


def _type(claim: api.Object) -> str:
    return str(claim["spec"]["requirements"][0]["values"][0])


def _event(server: apiserver.ApiServer, reason: str) -> api.Object:
    found: api.Object = until(
        lambda: next((e for e in server.all("events") if e["reason"] == reason), None)
    )
    return found


def _fulfil(server: apiserver.ApiServer, claim: api.Object, node: str = "n1") -> None:
    name = claim["metadata"]["name"]
    server.put("nodes", objects.node(node, claim=name))
    server.change("nodeclaims", name, objects.initialized)


def test_an_unschedulable_pod_gets_one_claim_and_is_told(
    server: apiserver.ApiServer, start: Start
) -> None:
    start()
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    assert claim["metadata"]["annotations"]["kaito.sh/workload-name"] == "Deployment/chat"
    said = _event(server, "NodeRequested")
    assert claim["metadata"]["name"] in said["message"]
    assert (said["involvedObject"]["name"], said["type"]) == ("a", "Normal")
    assert len(server.all("events")) == 1


def test_pods_that_were_waiting_before_the_start_are_served(
    server: apiserver.ApiServer, start: Start
) -> None:
    for name in ("a", "b"):
        server.put("pods", objects.pod(name))
    start()
    _claims(server, 2)


def test_a_node_that_joins_is_not_bought_again_at_any_step(
    server: apiserver.ApiServer, start: Start
) -> None:
    """In flight: no node, node not Ready, Ready without its GPU, GPU there, initialised, bound."""
    start()
    server.put("pods", objects.pod("a"))
    name = _claims(server)[0]["metadata"]["name"]
    for node in (
        objects.node("n1", claim=name, ready=False, gpus=0),
        objects.node("n1", claim=name, gpus=0),
        objects.node("n1", claim=name),
    ):
        server.put("nodes", node)
        _claims(server)
    server.change("nodeclaims", name, objects.initialized)
    _claims(server)
    server.put("pods", objects.bound("a", "n1"))
    _claims(server)


def test_a_restart_at_any_point_buys_nothing_twice(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("pods", objects.pod("a"))
    start()
    _claims(server)
    start()
    _claims(server)


def test_two_planners_at_once_buy_once(server: apiserver.ApiServer, start: Start) -> None:
    start()
    start()
    for i in range(5):
        server.put("pods", objects.pod(f"p{i}"))
    _claims(server, 5)


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
    _claims(server)


def test_a_name_that_belongs_to_something_else_is_passed_over(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("pods", objects.pod("a"))
    start()
    name = _claims(server)[0]["metadata"]["name"]
    server.remove("nodeclaims", name)
    server.remove("pods", "default/a")
    foreign = {"metadata": {"name": name, "labels": {"team": "b"}}, "spec": {}}
    server.put("nodeclaims", foreign)
    start()
    server.put("pods", objects.pod("b"))
    found = {claim["metadata"]["name"]: claim for claim in _claims(server, 2)}
    assert found[name]["metadata"]["labels"] == {"team": "b"}


@pytest.mark.parametrize("terminating_first", [False, True])
def test_a_refused_claim_is_followed_by_the_next_type(
    server: apiserver.ApiServer,
    start: Start,
    terminating_first: bool,  # noqa: FBT001 - a case
) -> None:
    def refuse(plural: str, claim: api.Object) -> None:
        if plural == "nodeclaims" and _type(claim) == "Standard_NC6s_v3":
            if terminating_first:
                stamp = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
                server.change(
                    plural, claim["metadata"]["name"], lambda o: o["metadata"].update(stamp)
                )
            server.remove(plural, claim["metadata"]["name"])

    server.on_create = refuse
    start()
    server.put("pods", objects.pod("a", spec=_TWO_TYPES))
    until(lambda: [_type(c) for c in server.all("nodeclaims")] == ["Standard_NC24ads_A100_v4"])
    said = until(
        lambda: [e["message"] for e in server.all("events") if "attempt 2/2 after" in e["message"]]
    )
    assert "ended before its node was usable" in said[0]


def test_when_every_offer_is_refused_the_pod_is_told_and_nothing_spins(
    server: apiserver.ApiServer, start: Start
) -> None:
    def refuse(plural: str, created: api.Object) -> None:
        if plural == "nodeclaims":
            server.remove(plural, created["metadata"]["name"])

    server.on_create = refuse
    start()
    server.put("pods", objects.pod("a"))
    assert "every offer was refused" in _event(server, "NodeUnavailable")["message"]
    time.sleep(_QUIET_SECONDS)
    assert server.count("POST", "nodeclaims") == 1


def test_the_reason_of_a_refusal_is_what_karpenter_said_before_it_let_the_claim_go(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C4, as Karpenter 1.14.1 does it: nothing in the conditions, and two Warnings."""
    why = 'insufficient capacity, KWOKNodeClass.karpenter.kwok.sh "default" not found'
    warnings = (("InsufficientCapacityError", why), ("TerminationGracePeriodExpiring", "by 18:30"))

    def refuse(plural: str, claim: api.Object) -> None:
        if plural != "nodeclaims":
            return
        name, uid = claim["metadata"]["name"], claim["metadata"]["uid"]
        server.change("nodeclaims", name, objects.awaiting_reconciliation)
        for second, (reason, message) in enumerate(warnings):
            meta = {"name": f"{name}.{second}", "namespace": "default"}
            said = {"reason": reason, "message": message, "type": "Warning"}
            at = {"lastTimestamp": f"2026-01-01T00:00:0{second}Z"}
            server.put("events", {"metadata": meta, "involvedObject": {"uid": uid}, **said, **at})
        server.remove("nodeclaims", name)

    server.on_create = refuse
    start()
    server.put("pods", objects.pod("a"))
    assert why in _event(server, "BuyingPaused")["message"]


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
    server.on_create = lambda plural, created: (
        server.remove(plural, created["metadata"]["name"]) if plural == "nodeclaims" else None
    )
    start(replace(FAST, dialect="kwok"))
    server.put("pods", objects.pod("a"))
    assert why in _event(server, "BuyingPaused")["message"]


def test_a_refused_offer_is_tried_again_after_its_bar(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node_provisioner.bars.BAR_SECONDS", 0.3)
    start()
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    server.remove("nodeclaims", claim["metadata"]["name"])
    _event(server, "NodeUnavailable")
    (again,) = _claims(server)
    assert again["metadata"]["name"] != claim["metadata"]["name"]


def test_a_claim_that_the_api_server_rejects_is_not_sent_again_and_again(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.refused["POST", "nodeclaims"] = 422
    start()
    server.put("pods", objects.pod("a"))
    _event(server, "NodeUnavailable")
    time.sleep(_QUIET_SECONDS)
    assert server.count("POST", "nodeclaims") == 1


@pytest.mark.parametrize("status", [403, 500])
def test_a_failing_create_is_tried_again_with_pauses(
    server: apiserver.ApiServer, start: Start, status: int
) -> None:
    server.refused["POST", "nodeclaims"] = status
    start()
    server.put("pods", objects.pod("a"))
    until(lambda: server.count("POST", "nodeclaims") == 1)
    time.sleep(_QUIET_SECONDS)
    assert server.count("POST", "nodeclaims") == 1
    server.refused.clear()
    _claims(server)


def test_a_missing_crd_is_waited_for(
    server: apiserver.ApiServer, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server.missing.add("nodeclaims")
    with caplog.at_level(logging.WARNING):
        start()
        server.put("pods", objects.pod("a"))
        until(lambda: '/nodeclaims error="404 NotFound' in caplog.text)
    server.missing.clear()
    _claims(server)


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
    _claims(server, 4)


def test_a_foreign_gpu_that_the_scheduler_does_not_use_stops_counting(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node_provisioner.freshness.GRACE_SECONDS", 0.6)
    server.put("nodes", objects.node("own"))
    server.put("pods", objects.pod("a"))
    start()
    time.sleep(_QUIET_SECONDS)
    assert server.all("nodeclaims") == []
    _claims(server)


def test_a_pod_without_a_readable_spec_is_told(server: apiserver.ApiServer, start: Start) -> None:
    start()
    server.put("pods", objects.pod("a", metadata={"annotations": {}}))
    assert (
        "kaito.sh/provision-spec is missing" in _event(server, "MalformedProvisionSpec")["message"]
    )
    assert server.all("nodeclaims") == []


def test_an_event_is_said_once_over_restarts(server: apiserver.ApiServer, start: Start) -> None:
    server.put("pods", objects.pod("a", metadata={"annotations": {}}))
    for starts in (1, 2):
        start()
        until(lambda n=starts: server.count("POST", "events") == n)  # type: ignore[misc]  # the default binds the loop's value
    assert len(server.all("events")) == 1


def test_a_workload_is_told_once_for_all_its_pods(
    server: apiserver.ApiServer, start: Start
) -> None:
    """I7: what was bought, at which price, which attempt; why it was refused; what comes next."""
    server.put("deployments", _DEPLOYMENT)
    for i in range(5):
        server.put("pods", objects.pod(f"p{i}", spec=_TWO_TYPES))
    start()
    claims = _claims(server, 5)
    (said,) = _told_workload(server, "NodeRequested")
    first = min(claims, key=lambda claim: int(claim["metadata"]["resourceVersion"]))
    expected = "and 2 more created (Standard_NC6s_v3, on-demand, $3.06/h), attempt 1/2; if it is"
    assert expected in said
    assert "next: Standard_NC24ads_A100_v4, on-demand" in said
    assert first["metadata"]["name"] in said


def test_a_refusal_is_told_in_the_providers_words_and_followed_by_the_next_offer(
    server: apiserver.ApiServer, start: Start
) -> None:
    def refuse(plural: str, claim: api.Object) -> None:
        if plural == "nodeclaims" and _type(claim) == "Standard_NC6s_v3":
            server.put("events", _event_about(claim, "VcpuLimitExceeded: 80 vCPUs"))
            server.remove(plural, claim["metadata"]["name"])

    server.on_create = refuse
    server.put("deployments", _DEPLOYMENT)
    start()
    server.put("pods", objects.pod("a", spec=_TWO_TYPES))
    until(lambda: [_type(c) for c in server.all("nodeclaims")] == ["Standard_NC24ads_A100_v4"])
    until(lambda: _told_workload(server, "ClaimRefused"))
    words = "the quota is used up: VcpuLimitExceeded: 80 vCPUs"
    assert words in _told_workload(server, "ClaimRefused")[0]
    assert words in until(lambda: _told_workload(server, "NodeRequested")[1:])[0]
    assert [e for e in server.all("events") if e["involvedObject"]["kind"] == "NodeClaim"]


_DEPLOYMENT: api.Object = {"metadata": {"name": "chat", "namespace": "default"}, "spec": {}}


def _told_workload(server: apiserver.ApiServer, reason: str) -> list[str]:
    return [
        event["message"]
        for event in server.all("events")
        if event["reason"] == reason and event["involvedObject"]["kind"] == "Deployment"
    ]


def _event_about(claim: api.Object, message: str) -> api.Object:
    about = {"kind": "NodeClaim", "uid": claim["metadata"]["uid"]}
    meta = {"name": f"{claim['metadata']['name']}.1", "namespace": "default"}
    told = {"type": "Warning", "reason": "InsufficientCapacityError", "message": message}
    return {"metadata": meta, "involvedObject": about, **told}


def test_a_claim_whose_provider_says_that_it_is_hopeless_is_not_waited_for(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C3: gpu-provisioner keeps such a claim for five minutes, with the cloud's words in it."""

    def fail(plural: str, claim: api.Object) -> None:
        if plural == "nodeclaims" and _type(claim) == "Standard_NC6s_v3":
            failed = {"type": "Launched", "status": "Unknown", "reason": "LaunchFailed"}
            failed["message"] = "SkuNotAvailable: not available in westus"
            status = {"conditions": [failed]}
            server.change(plural, claim["metadata"]["name"], lambda o: o.update(status=status))

    server.on_create = fail
    start()
    server.put("pods", objects.pod("a", spec=_TWO_TYPES))
    until(lambda: [_type(c) for c in server.all("nodeclaims")] == ["Standard_NC24ads_A100_v4"])
    assert "SkuNotAvailable" in _event(server, "ClaimRefused")["message"]


def test_an_operation_that_is_under_way_is_waited_for(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C7: a provisioner that was restarted finds its own operation."""

    def fail(plural: str, claim: api.Object) -> None:
        if plural == "nodeclaims":
            failed = {"type": "Launched", "status": "Unknown", "reason": "LaunchFailed"}
            failed["message"] = "in progress create node pool operation"
            status = {"conditions": [failed]}
            server.change(plural, claim["metadata"]["name"], lambda o: o.update(status=status))

    server.on_create = fail
    start()
    server.put("pods", objects.pod("a", spec=_TWO_TYPES))
    (claim,) = _claims(server)
    assert _type(claim) == "Standard_NC6s_v3"


def test_a_list_that_cannot_be_read_is_told_to_the_pods_that_wait(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C8: no CRD."""
    server.missing.add("nodeclaims")
    start()
    server.put("pods", objects.pod("a"))
    assert "nodeclaims: 404 NotFound" in _event(server, "PlannerBlind")["message"]


@pytest.mark.parametrize("status", [403, 404])
def test_when_claims_cannot_be_created_at_all_the_pods_are_told(
    server: apiserver.ApiServer, start: Start, status: int
) -> None:
    server.refused["POST", "nodeclaims"] = status
    start()
    server.put("pods", objects.pod("a"))
    assert "NodeClaims cannot be created" in _event(server, "BuyingPaused")["message"]


# Gates.

_GATED: api.Object = {"schedulingGates": [{"name": "kaito.sh/provisioning"}]}
_OF_JOB = {"ownerReferences": [{"kind": "Job", "name": "tune", "controller": True}]}


def _job(parallelism: int) -> api.Object:
    template = {"spec": _GATED}
    spec = {"parallelism": parallelism, "completions": parallelism, "template": template}
    return {"metadata": {"name": "tune", "namespace": "default"}, "spec": spec}


def _gates(server: apiserver.ApiServer) -> list[bool]:
    return ["schedulingGates" in pod["spec"] for pod in server.all("pods")]


def test_the_pods_of_a_job_start_together_when_every_node_is_there(
    server: apiserver.ApiServer, start: Start
) -> None:
    start()
    server.put("jobs", _job(2))
    server.put("pods", objects.pod("a", spec_changes=_GATED, metadata=_OF_JOB))
    assert "1 pods wait for 1 more" in _event(server, "PodsAwaited")["message"]
    assert server.all("nodeclaims") == []
    server.put("pods", objects.pod("b", spec_changes=_GATED, metadata=_OF_JOB))
    one, two = _claims(server, 2)
    _fulfil(server, one, "n1")
    time.sleep(_QUIET_SECONDS)
    assert _gates(server) == [True, True]
    _fulfil(server, two, "n2")
    until(lambda: _gates(server) == [False, False])
    assert "all 2 pods" in _event(server, "NodesReady")["message"]


def test_a_gated_pod_uses_a_node_that_is_there(server: apiserver.ApiServer, start: Start) -> None:
    server.put("nodes", objects.node("own"))
    start()
    server.put("pods", objects.pod("a", spec_changes=_GATED))
    until(lambda: _gates(server) == [False])
    assert server.all("nodeclaims") == []


def test_a_gate_of_somebody_else_is_never_touched(
    server: apiserver.ApiServer, start: Start
) -> None:
    both = {"schedulingGates": [*_GATED["schedulingGates"], {"name": "team/quota"}]}
    server.put("nodes", objects.node("own"))
    server.put("pods", objects.pod("a", spec_changes=both))
    start()
    time.sleep(2 * _QUIET_SECONDS)
    assert _gates(server) == [True]
    assert server.count("PATCH", "pods") == 0


# Leaders.


def test_of_two_planners_with_a_lease_one_acts(server: apiserver.ApiServer, start: Start) -> None:
    def of(identity: str) -> settings.Settings:
        return replace(FAST, lease=("plainsail-system", "planner"), identity=identity)

    one = start(of("one"))
    until(lambda: one._election is not None and one._election.leads)
    two = start(of("two"))
    until(lambda: not two._metrics.leads)
    server.put("pods", objects.pod("a"))
    _claims(server)
    assert two._election is not None
    assert not two._election.leads
    assert server.all("leases")[0]["spec"]["holderIdentity"] == "one"


def test_a_claim_is_never_changed(server: apiserver.ApiServer, start: Start) -> None:
    """C17: its spec is immutable, and its status is its provider's."""
    start(replace(FAST, idle_ttl_seconds=0.1))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    server.put("pods", objects.bound("a", "n1"))
    server.remove("pods", "default/a")
    until(lambda: server.all("nodeclaims") == [])
    assert server.count("PATCH", "nodeclaims") == 0
    assert server.count("PUT", "nodeclaims") == 0


# Giving back.


def test_a_node_is_closed_and_looked_at_again_before_it_is_given_back(
    server: apiserver.ApiServer, start: Start
) -> None:
    start(replace(FAST, idle_ttl_seconds=0.1))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    server.put("pods", objects.bound("a", "n1"))
    server.remove("pods", "default/a")
    until(lambda: server.all("nodes")[0]["spec"].get("unschedulable"))
    assert server.all("nodes")[0]["metadata"]["annotations"]["kaito.sh/draining"]
    assert len(server.all("nodeclaims")) == 1
    until(lambda: server.all("nodeclaims") == [])
    assert "given back" in _event(server, "NodeGivenBack")["message"]


def test_demand_that_returns_while_a_node_is_closed_opens_it_again(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P22."""
    start(replace(FAST, idle_ttl_seconds=0.1))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    server.put("pods", objects.bound("a", "n1"))
    server.remove("pods", "default/a")
    until(lambda: server.all("nodes")[0]["spec"].get("unschedulable"))
    server.put("pods", objects.pod("b"))
    until(lambda: not server.all("nodes")[0]["spec"].get("unschedulable"))
    assert "kaito.sh/draining" not in server.all("nodes")[0]["metadata"]["annotations"]
    _claims(server)


def test_a_pod_that_came_before_the_node_was_closed_keeps_it(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P22, at the very moment of the re-check."""
    start(replace(FAST, idle_ttl_seconds=0.1))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    server.put("pods", objects.bound("a", "n1"))
    server.remove("pods", "default/a")
    until(lambda: server.all("nodes")[0]["spec"].get("unschedulable"))
    plain = objects.bound("web", "n1", metadata={"labels": {}})
    server.put("pods", plain | {"spec": {"nodeName": "n1", "containers": [{}]}})
    until(lambda: not server.all("nodes")[0]["spec"].get("unschedulable"))
    assert len(server.all("nodeclaims")) == 1


def test_what_another_planner_gave_back_was_not_refused(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P2: else the two would count attempts differently, and buy under different names."""
    start(replace(FAST, surplus_ttl_seconds=60.0))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    said = _event_about(claim, "no pod needed it") | {"reason": "NodeGivenBack", "type": "Normal"}
    server.put("events", said)
    server.remove("nodeclaims", claim["metadata"]["name"])
    (again,) = _claims(server)
    assert again["metadata"]["name"] == claim["metadata"]["name"]
    assert again["metadata"]["uid"] != claim["metadata"]["uid"]


def test_planners_that_know_of_a_node_for_longer_and_shorter_do_not_take_turns(
    server: apiserver.ApiServer, start: Start
) -> None:
    """One closes the idle node; the other would wait longer, and leaves it closed."""
    start(replace(FAST, idle_ttl_seconds=60.0))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    server.put("pods", objects.bound("a", "n1"))
    server.remove("pods", "default/a")
    marked = {"annotations": {"kaito.sh/draining": claim["metadata"]["name"]}}
    closed = objects.node("n1", claim=claim["metadata"]["name"]) | {"spec": {"unschedulable": True}}
    closed["metadata"] |= marked
    server.put("nodes", closed)
    time.sleep(2 * _QUIET_SECONDS)
    assert server.count("PATCH", "nodes") == 0
    assert len(server.all("nodeclaims")) == 1


def test_a_node_that_somebody_closed_is_not_opened(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("nodes", objects.node("own") | {"spec": {"unschedulable": True}})
    server.put("pods", objects.pod("a"))
    start()
    _claims(server)
    assert server.count("PATCH", "nodes") == 0


def test_claims_that_a_smaller_workload_does_not_need_go_before_their_nodes_come(
    server: apiserver.ApiServer, start: Start
) -> None:
    """P8: scaled from four to one while all are launching."""
    start(replace(FAST, surplus_ttl_seconds=0.3))
    for i in range(4):
        server.put("pods", objects.pod(f"p{i}"))
    _claims(server, 4)
    for i in range(3):
        server.remove("pods", f"default/p{i}")
    until(lambda: len(server.all("nodeclaims")) == 1)
    time.sleep(2 * _QUIET_SECONDS)
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
    _claims(server)
    server.remove("pods", "default/a")
    assert "metadata.finalizers" in _event(server, "ClaimStuck")["message"]
    server.put("pods", objects.pod("b"))
    _claims(server, 2)


def test_a_node_whose_claim_is_gone_is_told(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C10: the claim was deleted by hand, and its machine came nevertheless."""
    monkeypatch.setattr("node_provisioner.upkeep.STUCK_SECONDS", 0.2)
    server.put("nodes", objects.node("n1", claim="ws0"))
    start()
    said = _event(server, "NodeLeaked")
    assert (said["involvedObject"]["kind"], said["involvedObject"]["name"]) == ("Node", "n1")


def test_an_idle_node_is_given_back_after_the_ttl_and_not_before(
    server: apiserver.ApiServer, start: Start
) -> None:
    start(replace(FAST, idle_ttl_seconds=0.8))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    server.put("pods", objects.bound("a", "n1"))
    server.remove("pods", "default/a")
    time.sleep(0.4)
    assert len(server.all("nodeclaims")) == 1
    until(lambda: server.all("nodeclaims") == [])
    assert server.count("DELETE", "nodes") == 0


def test_a_node_that_is_used_again_within_the_ttl_is_kept(
    server: apiserver.ApiServer, start: Start
) -> None:
    start(replace(FAST, idle_ttl_seconds=0.5))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    for _ in range(3):
        server.put("pods", objects.bound("a", "n1"))
        time.sleep(0.15)
        server.remove("pods", "default/a")
        time.sleep(0.15)
    assert len(server.all("nodeclaims")) == 1


def test_a_node_with_anybody_elses_pod_is_kept(server: apiserver.ApiServer, start: Start) -> None:
    start(replace(FAST, idle_ttl_seconds=0.2))
    server.put("pods", objects.pod("a"))
    (claim,) = _claims(server)
    _fulfil(server, claim)
    plain = objects.bound("web", "n1", metadata={"labels": {}})
    server.put("pods", plain | {"spec": {"nodeName": "n1", "containers": [{}]}})
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
    assert "attempt 1/1" in _event(server, "NodeRequested")["message"]
    _claims(server)


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
    server.put("pods", objects.pod("a", spec=_TWO_TYPES))
    until(lambda: [_type(c) for c in server.all("nodeclaims")] == ["Standard_NC24ads_A100_v4"])
