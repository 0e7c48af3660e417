"""The watcher against an API server in memory."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from kubeapi import host
from kubeapi.client import Client
from presets import scheduling
from scheduler_ext import answers, cluster, metrics, views
from tests import apiserver
from tests.apiserver import until
from tests.scheduler_ext import objects


class _Late:
    """The machine itself, with a clock that can be put forward."""

    seconds = 0.0

    def monotonic(self) -> float:
        return host.REAL.monotonic() + self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def flag(self) -> host.Flag:
        return host.REAL.flag()

    def start(self, work: Callable[[], None]) -> None:
        host.REAL.start(work)

    def each(
        self, work: Callable[[host.T], host.R], items: Sequence[host.T], *, at_once: int
    ) -> list[host.R]:
        return host.REAL.each(work, items, at_once=at_once)


class _Watching:
    """A watcher that runs."""

    def __init__(self, client: Client) -> None:
        self.metrics = metrics.Metrics()
        self.host = _Late()
        self.watcher = cluster.Watcher(client, self.metrics, self.host)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watcher.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def failed(self, pod: views.PodView | None = None) -> dict[str, str]:
        asking = pod or objects.pod()
        return answers.filtered(asking, ["n1"], self.watcher.snapshot).failed

    def is_ready(self) -> bool:
        return not self.watcher.snapshot.unread


Start = Callable[[], _Watching]


@pytest.fixture
def start(server: apiserver.ApiServer, client: Client) -> Iterator[Start]:
    """Starts watchers; they are stopped after the test."""
    running: list[_Watching] = []

    def started() -> _Watching:
        running.append(_Watching(client))
        return running[-1]

    yield started
    for one in running:
        one.stop.set()
        one.watcher.wake()
    server.drop_watches()
    for one in running:
        one.thread.join(10)
        assert not one.thread.is_alive()


@pytest.fixture
def watching(server: apiserver.ApiServer, start: Start) -> _Watching:
    """With a node that was bought and is on its way."""
    server.put("nodes", objects.raw_node())
    server.put("nodeclaims", objects.raw_claim(initialized=False))
    return start()


def noted(server: apiserver.ApiServer, name: str = "chat-1") -> str:
    """When and for which node a pod was touched; empty: it was not."""
    found = server.objects["pods", f"default/{name}"]["metadata"].get("annotations") or {}
    return str(found.get("kaito.sh/placement-changed", ""))


def initialize(server: apiserver.ApiServer) -> None:
    done = {"type": "Initialized", "status": "True"}
    server.change("nodeclaims", "ws1", lambda c: c["status"].update(conditions=[done]))


def test_the_answer_follows_the_cluster(server: apiserver.ApiServer, watching: _Watching) -> None:
    until(watching.is_ready)
    assert "NodeClaim ws1" in watching.failed()["n1"]
    initialize(server)
    until(lambda: not watching.failed())
    fault = {"type": "XIDErrors", "status": "True"}
    server.change("nodes", "n1", lambda n: n["status"]["conditions"].append(fault))
    until(lambda: "XIDErrors" in watching.failed().get("n1", ""))


def test_a_waiting_pod_is_touched_when_its_answer_changes(
    server: apiserver.ApiServer, watching: _Watching
) -> None:
    """E18: once, and without a trace of anything else on it."""
    before = server.put("pods", objects.raw_pod())
    until(lambda: watching.watcher.snapshot.waiting)
    assert not noted(server)
    initialize(server)
    until(lambda: noted(server))
    assert noted(server) == "2026-01-01T00:00:00.000Z n1"
    after = server.objects["pods", "default/chat-1"]
    assert (after["spec"], after["metadata"]["labels"]) == (
        before["spec"],
        before["metadata"]["labels"],
    )
    until(lambda: watching.metrics.touched == 1)
    assert server.count("PATCH", "pods") == 1


def test_a_pod_that_is_shown_after_the_node_opened_is_touched_all_the_same(
    server: apiserver.ApiServer, watching: _Watching
) -> None:
    """It may have been refused before: pods and claims are watched each for themselves."""
    until(watching.is_ready)
    initialize(server)
    until(lambda: not watching.failed())
    server.put("pods", objects.raw_pod())
    until(lambda: watching.watcher.snapshot.waiting)
    assert not noted(server)
    for _ in range(2):
        watching.host.seconds += cluster._LATE_SECONDS
        watching.watcher.wake()
        until(lambda: noted(server))
    assert server.count("PATCH", "pods") == 1


def test_a_touch_that_the_api_server_does_not_take_is_tried_again(
    server: apiserver.ApiServer, watching: _Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_AGAIN_SECONDS", 0.05)
    server.put("pods", objects.raw_pod())
    until(lambda: watching.watcher.snapshot.waiting)
    server.refused["PATCH", "pods"] = 503
    initialize(server)
    until(lambda: server.count("PATCH", "pods") > 1)
    assert not watching.failed()  # the snapshot does not wait for it
    server.refused.clear()
    until(lambda: noted(server))


@pytest.mark.parametrize("status", [403, 404, 409])
def test_a_touch_that_can_never_succeed_is_made_once(
    server: apiserver.ApiServer, watching: _Watching, status: int
) -> None:
    server.put("pods", objects.raw_pod())
    until(lambda: watching.watcher.snapshot.waiting)
    server.refused["PATCH", "pods"] = status
    initialize(server)
    until(lambda: server.count("PATCH", "pods") == 1)
    server.put("nodes", objects.raw_node("n2"))
    until(lambda: "n2" in watching.watcher.snapshot.candidates)
    assert server.count("PATCH", "pods") == 1


def test_a_node_is_marked_when_it_opens_and_again_when_its_kubelet_zeroes_it(
    server: apiserver.ApiServer, watching: _Watching
) -> None:
    """E29; a node that nobody of ours bought is left alone."""

    def marker(name: str = "n1") -> str:
        return str(server.objects["nodes", name]["status"]["allocatable"].get(scheduling.MARKER))

    server.put("nodes", objects.raw_node("foreign"))
    server.put("pods", objects.raw_pod())
    until(lambda: watching.watcher.snapshot.waiting)
    assert marker() == "None"
    initialize(server)
    until(lambda: marker() == "1k")
    until(lambda: watching.watcher.snapshot.candidates["n1"].node.marker == "1k")
    zero = {scheduling.MARKER: "0"}
    server.change("nodes", "n1", lambda node: node["status"]["allocatable"].update(zero))
    until(lambda: marker() == "1k")
    assert marker("foreign") == "None"


def test_a_new_node_is_kept_for_a_while_and_then_given_to_others(
    server: apiserver.ApiServer, watching: _Watching
) -> None:
    """E18, by the clock: the other pod is touched when the time is over."""
    server.put("pods", objects.raw_pod("mine"))
    meta = {"ownerReferences": [], "labels": {"kaito.sh/managed": "true"}}
    server.put("pods", objects.raw_pod("other", metadata=meta))
    until(lambda: len(watching.watcher.snapshot.waiting) == 2)
    initialize(server)
    stranger = objects.pod("other", workload="default/Pod/other")
    until(lambda: "was bought for" in watching.failed(stranger).get("n1", ""))
    until(lambda: noted(server, "mine"))
    assert not noted(server, "other")
    watching.host.seconds = cluster.KEPT_SECONDS
    server.put("nodes", objects.raw_node("n2"))  # wakes it before the time that it chose
    until(lambda: noted(server, "other"))


def test_nodes_that_were_ready_before_our_start_are_kept_for_nobody(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("nodes", objects.raw_node())
    server.put("nodeclaims", objects.raw_claim())
    server.put("pods", objects.raw_pod())
    started = start()
    until(started.is_ready)
    assert not started.watcher.snapshot.doubtful


def test_until_everything_was_read_every_pod_of_ours_waits(
    server: apiserver.ApiServer, start: Start
) -> None:
    """E7: denied or late, the answer names what is missing; then the pod is tried again."""
    server.put("nodes", objects.raw_node())
    server.put("pods", objects.raw_pod())
    server.refused["GET", "nodeclaims"] = 403
    started = start()
    until(lambda: started.watcher.snapshot.unread == ("nodeclaims",))
    assert started.failed() == {"n1": "the scheduler extender is still reading nodeclaims"}
    server.refused.clear()
    until(started.is_ready)
    until(lambda: noted(server))


def test_a_cluster_without_nodeclaims_is_one_where_nothing_was_bought(
    server: apiserver.ApiServer, start: Start
) -> None:
    """C8: the definition is missing, now or for ever; installed later it is seen."""
    server.missing.add("nodeclaims")
    server.put("nodes", objects.raw_node())
    started = start()
    until(started.is_ready)
    assert not started.failed()
    server.missing.clear()
    server.put("nodeclaims", objects.raw_claim(initialized=False))
    until(started.failed)


def test_a_pod_that_is_bound_in_spite_of_us_is_counted(
    server: apiserver.ApiServer, watching: _Watching
) -> None:
    """E23: an `ignorable: true` that nobody should set shows here."""
    server.put("nodes", objects.raw_node("n2"))
    for name in ("n1", "n2"):
        server.put("pods", objects.raw_pod(name))
    until(lambda: len(watching.watcher.snapshot.waiting) == 2)
    for name in ("n1", "n2"):
        server.change(
            "pods", f"default/{name}", lambda p: p["spec"].update(nodeName=p["metadata"]["name"])
        )
    until(lambda: len(watching.watcher.snapshot.holders) == 2)
    until(lambda: watching.metrics.misplaced)
    assert watching.metrics.misplaced == 1


def test_forty_updates_of_a_node_cost_no_touch_and_leave_the_answer(
    server: apiserver.ApiServer, watching: _Watching
) -> None:
    """E20."""
    server.put("pods", objects.raw_pod())
    until(lambda: watching.watcher.snapshot.waiting)
    before = watching.failed()
    for number in range(40):
        changed = objects.raw_node()
        changed["metadata"]["labels"]["n"] = str(number)
        server.put("nodes", changed)
    server.put("nodes", objects.raw_node("n2"))
    until(lambda: "n2" in watching.watcher.snapshot.candidates)
    assert watching.failed() == before
    assert server.count("PATCH", "pods") == 0


def test_a_node_that_cannot_be_read_holds_up_no_other(
    server: apiserver.ApiServer, watching: _Watching
) -> None:
    broken = objects.raw_node("n2")
    broken["status"]["conditions"] = [{"status": "True"}]
    server.put("nodes", broken)
    server.put("nodes", objects.raw_node("n3"))
    until(lambda: "n3" in watching.watcher.snapshot.candidates)
    assert watching.watcher.unreadable == 1


def test_it_outlives_the_api_server(server: apiserver.ApiServer, watching: _Watching) -> None:
    """The last picture is answered from; what changed meanwhile is seen afterwards."""
    until(lambda: watching.watcher.watched == 3)
    server.stop()
    until(lambda: watching.watcher.watched == 0)
    assert watching.failed()
    initialize(server)
    server.start()
    until(lambda: not watching.failed())
