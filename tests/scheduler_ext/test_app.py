"""The HTTP edge in process, with the bodies that kube-scheduler sends.

Rows of the fault cases that are decided here: E6 malformed and huge bodies, E12 null, missing and
reordered keys, E17 a scheduler that sends whole nodes. E9 and E27 have no test because nothing is
there to test: the extender gives the planner no hint that could be doubled, queued or lost; the
planner sees the same Unschedulable pods whoever refused them (E1, E2 in `test_real_scheduler.py`).
"""

import asyncio
import random
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from scheduler_ext import answers, app, metrics, snapshot
from tests.scheduler_ext import objects
from tests.scheduler_ext.objects import claim, node, taken


@dataclass
class Seen:
    """A snapshot that stays."""

    snapshot: snapshot.Snapshot
    watched: int = 3
    unreadable: int = 1


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[bytes, bytes]

    @property
    def json(self) -> Any:
        assert self.status == 200, self.body
        return orjson.loads(self.body)


@pytest.fixture
def served() -> app.App:
    """n1 is on its way, n2 can be used."""
    seen = taken(node("n1"), node("n2"), claim(initialized=False))
    return app.App(Seen(seen), metrics.Metrics(started=1.0))


def call(served: app.App, method: str, path: str, *chunks: bytes, length: int = 0) -> Answer:
    """The answer to a request whose body comes in these chunks."""
    parts, sent = list(chunks) or [b""], list[MutableMapping[str, Any]]()

    async def receive() -> MutableMapping[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"content-length", b"%d" % length)] if length else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    asyncio.run(served(scope, receive, send))
    start, body = sent
    return Answer(start["status"], body["body"], dict(start["headers"]))


def test_a_filter_is_answered_in_the_words_of_go(served: app.App) -> None:
    body = objects.request(objects.raw_pod(), "n1", "n2")
    assert call(served, "POST", "/filter", body).json == {
        "Nodes": None,
        "NodeNames": ["n2"],
        "FailedNodes": {},
        "FailedAndUnresolvableNodes": {"n1": "waiting for the node of NodeClaim ws1 to be ready"},
        "Error": "",
    }


def test_prioritize_is_answered_with_a_bare_list(served: app.App) -> None:
    body = objects.request(objects.raw_pod(), "n1", "n2")
    assert call(served, "POST", "/prioritize", body).json == [
        {"Host": "n1", "Score": 4},
        {"Host": "n2", "Score": 4},
    ]


def test_preempt_is_answered_with_uids(served: app.App) -> None:
    body = objects.preemption(objects.raw_pod(), n1=["a"], n2=["b"], n3=[])
    assert call(served, "POST", "/preempt", body).json == {
        "NodeNameToMetaVictims": {"n2": {"Pods": [{"UID": "b"}], "NumPDBViolations": 0}}
    }


def test_victims_that_come_as_whole_pods_are_answered_as_uids(served: app.App) -> None:
    """E17, for /preempt."""
    victims = {"n2": {"Pods": [{"metadata": {"uid": "b"}}], "NumPDBViolations": 1}}
    body = {"Pod": objects.raw_pod(), "NodeNameToVictims": victims, "NodeNameToMetaVictims": None}
    assert call(served, "POST", "/preempt", orjson.dumps(body)).json == {
        "NodeNameToMetaVictims": {"n2": {"Pods": [{"UID": "b"}], "NumPDBViolations": 1}}
    }


def test_whole_nodes_are_refused_with_what_to_set(served: app.App) -> None:
    """E17: with names alone as the answer the scheduler would take every node for refused."""
    body = {"Pod": objects.raw_pod(), "Nodes": {"items": [objects.raw_node()]}, "NodeNames": None}
    found = call(served, "POST", "/filter", orjson.dumps(body)).json
    assert "nodeCacheCapable: true" in found["Error"]
    assert found["NodeNames"] is None


RECORDED = sorted((Path(__file__).parent / "recorded").iterdir())
"""First requests that kube-scheduler of a version sent for a pod of ours, by path."""


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
@pytest.mark.parametrize("seed", range(5))
def test_what_a_real_scheduler_sent_is_answered(file: Path, seed: int) -> None:
    """E12: as it was recorded, and with its keys in other orders, absent or beside new ones."""
    body = orjson.loads(file.read_bytes())
    kind = body["Pod"]["spec"]["nodeSelector"]["node.kubernetes.io/instance-type"]
    names = ("team-a-a", "team-a-b")
    here = taken(*(node(name, instance_type=kind) for name in names))
    served = app.App(Seen(here), metrics.Metrics())
    sent = _mutated(body, random.Random(seed)) if seed else body
    path = "/" + file.stem.rpartition("-")[2]
    answer = call(served, "POST", path, orjson.dumps(sent)).json
    if path == "/filter":
        assert sorted(answer["NodeNames"]) == list(names)
    elif path == "/prioritize":
        assert {one["Host"]: one["Score"] for one in answer} == dict.fromkeys(names, 4)
    else:
        assert answer["NodeNameToMetaVictims"] == body["NodeNameToMetaVictims"]


def _mutated(raw: Any, draw: random.Random) -> Any:
    """The same request as another version may send it: keys shuffled, absent for null, more."""
    if isinstance(raw, list):
        return [_mutated(one, draw) for one in raw]
    if not isinstance(raw, dict):
        return raw
    kept = [(key, _mutated(value, draw)) for key, value in raw.items()]
    kept = [(key, value) for key, value in kept if value is not None or draw.random() < 0.5]
    kept += [("aFieldOfALaterVersion", {"a": [1]})] if draw.random() < 0.3 else []
    draw.shuffle(kept)
    return dict(kept)


@pytest.mark.parametrize("seed", range(100))
def test_null_absent_reordered_and_new_keys_are_read_alike(served: app.App, seed: int) -> None:
    """E12."""
    draw = random.Random(seed)
    nulls = {"volumes": None, "initContainers": None, "nodeName": None, "schedulingGates": None}
    raw = objects.raw_pod(metadata={"managedFields": None}, spec=nulls)
    body = {"Pod": raw, "Nodes": None, "NodeNames": ["n1", "n2"]}
    plain = call(served, "POST", "/filter", orjson.dumps(body)).json
    assert call(served, "POST", "/filter", orjson.dumps(_mutated(body, draw))).json == plain
    body = {"Pod": raw, "NodeNameToVictims": None, "NodeNameToMetaVictims": None}
    assert call(served, "POST", "/preempt", orjson.dumps(_mutated(body, draw))).json == {
        "NodeNameToMetaVictims": {}
    }


def test_no_names_at_all_are_answered_with_none(served: app.App) -> None:
    body = orjson.dumps({"Pod": objects.raw_pod(), "Nodes": None, "NodeNames": None})
    assert call(served, "POST", "/filter", body).json["NodeNames"] == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b'{"Pod": {', "not JSON", id="cut off"),
        pytest.param(b"[" * 100_000, "not JSON", id="deep"),
        pytest.param(b"[]", "not a JSON object", id="a list"),
        pytest.param(b"{}", "Pod is malformed", id="no pod"),
        pytest.param(b'{"Pod": null, "NodeNames": []}', "Pod is malformed", id="null for a pod"),
        pytest.param(b'{"Pod": {"metadata": 1, "spec": {}}}', "Pod is malformed", id="no object"),
        pytest.param(objects.request({"spec": {}}), "Pod is malformed", id="nameless"),
        pytest.param(
            orjson.dumps({"Pod": objects.raw_pod(), "NodeNames": [1]}), "NodeNames", id="numbers"
        ),
    ],
)
def test_a_malformed_body_is_refused_with_what_is_wrong(
    served: app.App, body: bytes, why: str
) -> None:
    """E6."""
    answer = call(served, "POST", "/filter", body)
    assert (answer.status, answer.body.decode().partition(":")[0][: len(why)]) == (400, why)
    assert call(served, "GET", "/healthz").status == 200


def test_malformed_victims_are_refused(served: app.App) -> None:
    body = {"Pod": objects.raw_pod(), "NodeNameToMetaVictims": {"n1": {"Pods": [{}]}}}
    assert call(served, "POST", "/preempt", orjson.dumps(body)).status == 400


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(served: app.App) -> None:
    """E6: 79 MB is what 5,000 whole nodes weigh."""
    answer = call(served, "POST", "/filter", length=79 * 10**6)
    assert answer.status == 413
    assert b"nodeCacheCapable: true" in answer.body
    assert answer.headers[b"connection"] == b"close"


def test_an_endless_body_is_given_up_at_the_limit(served: app.App) -> None:
    """E6."""
    chunks = [b"x" * 2**20] * 100
    assert call(served, "POST", "/filter", *chunks).status == 413


def test_the_names_of_the_largest_cluster_and_the_largest_pod_are_taken(served: app.App) -> None:
    """E6: 15,000 nodes, names of 253 bytes, and a pod of 1.5 MiB."""
    noted = {"annotations": {"a": "x" * (3 * 2**19)}}
    longest = [f"{i:05}".ljust(253, "n") for i in range(15_000)]
    body = objects.request(objects.raw_pod(metadata=noted), *longest)
    assert call(served, "POST", "/filter", body).json["NodeNames"] == longest


def test_a_body_that_does_not_come_is_given_up_below_the_schedulers_limit(
    served: app.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E5: the scheduling of every other pod waits meanwhile."""
    assert app.BODY_SECONDS <= 1.0  # of the 2 s of httpTimeout
    monkeypatch.setattr(app, "BODY_SECONDS", 0.01)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/filter", "headers": []}
    asyncio.run(served(scope, receive, send))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("HEAD", "/readyz", 200),
        ("GET", "/filter", 405),
        ("POST", "/metrics", 405),
        ("POST", "/bind", 404),
    ],
)
def test_paths_and_methods(served: app.App, method: str, path: str, status: int) -> None:
    assert call(served, method, path).status == status


def test_a_wrong_method_is_told_the_right_one(served: app.App) -> None:
    assert call(served, "GET", "/filter").headers[b"allow"] == b"POST"
    assert call(served, "POST", "/metrics").headers[b"allow"] == b"GET, HEAD"


def test_it_is_not_ready_before_the_first_look() -> None:
    waiting = app.App(Seen(snapshot.Snapshot(unread=("pods",))), metrics.Metrics())
    assert call(waiting, "GET", "/readyz").status == 503
    assert call(waiting, "GET", "/healthz").status == 200


def test_our_own_mistake_is_a_500_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = app.App(Seen(snapshot.Snapshot()), metrics.Metrics())
    monkeypatch.setattr(answers, "filtered", lambda *_: 1 / 0)
    body = objects.request(objects.raw_pod(), "n1")
    assert call(broken, "POST", "/filter", body).status == 500
    assert "ZeroDivisionError" in caplog.text


def test_the_metrics_tell_what_was_answered(served: app.App) -> None:
    call(served, "POST", "/filter", objects.request(objects.raw_pod(), "n1", "n2", "n3"))
    call(served, "POST", "/filter", b"{")
    page = call(served, "GET", "/metrics").body.decode()
    for line in (
        'plainsail_extender_requests_total{path="/filter",outcome="answered"} 1',
        'plainsail_extender_requests_total{path="/filter",outcome="400"} 1',
        'plainsail_extender_request_seconds_count{path="/filter"} 1',
        'plainsail_extender_nodes_refused_total{reason="NodeNotInitialized"} 1',
        "plainsail_extender_nodes_unknown_total 1",
        "plainsail_extender_lists_watched 3",
        "plainsail_extender_objects_unreadable 1",
        "process_start_time_seconds 1",
    ):
        assert line in page.splitlines()
    assert {name for name in metrics.FAMILIES if f"# TYPE {name} " in page} == set(metrics.FAMILIES)
