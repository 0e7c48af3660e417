"""A list kept by list and watch, through every way in which a watch can fail."""

import logging
import threading
from collections.abc import Iterator, Mapping

import pytest

from kubeapi import api, mirror
from kubeapi.client import Client
from node_provisioner import views
from tests import apiserver
from tests.node_provisioner import objects


def _view(raw: api.Object) -> views.NodeView | None:
    """Of a node; `spec.broken` stands for whatever a reader does not expect."""
    if raw.get("spec", {}).get("broken"):
        raise RecursionError("an annotation of brackets")
    return views.node(raw)


class _Kept:
    """A mirror of nodes that runs."""

    def __init__(self, client: api.Api) -> None:
        self.changes = 0
        self.was_missing = False
        self.problems: set[str] = set()
        self.mirror = mirror.Mirror(client, mirror.Source("/api/v1/nodes", _view), self._count)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.mirror.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def _count(self, _: object) -> None:
        self.changes += 1
        self.was_missing |= self.mirror.missing
        self.problems.add(self.mirror.problem)

    def names(self) -> set[str]:
        return {view.key for view in self.mirror.views()}

    def end(self, server: apiserver.ApiServer) -> None:
        self.stop.set()

        def ended() -> bool:
            server.drop_watches()
            return not self.thread.is_alive()

        apiserver.until(ended)

    def becomes(self, *names: str) -> None:
        apiserver.until(lambda: self.names() == set(names))


@pytest.fixture
def kept(server: apiserver.ApiServer, client: Client) -> Iterator[_Kept]:
    server.put("nodes", objects.node("n1"))
    running = _Kept(client)
    apiserver.until(lambda: running.mirror.live)
    yield running
    running.end(server)


def test_it_follows_additions_changes_and_deletions(
    server: apiserver.ApiServer, kept: _Kept
) -> None:
    server.put("nodes", objects.node("n2"))
    kept.becomes("n1", "n2")
    server.put("nodes", objects.node("n2", gpus=0))
    kept.becomes("n1")
    server.remove("nodes", "n1")
    kept.becomes()
    assert [view.key for view in kept.mirror.take_gone()] == ["n2", "n1"]
    assert kept.mirror.take_gone() == ()


def test_a_change_that_the_view_does_not_show_wakes_nobody(
    server: apiserver.ApiServer, kept: _Kept
) -> None:
    before = kept.changes
    for heartbeat in range(5):
        server.change("nodes", "n1", lambda n, at=heartbeat: n["metadata"].update(beat=at))  # type: ignore[misc]  # a default binds the loop's value
    server.put("nodes", objects.node("n2"))
    kept.becomes("n1", "n2")
    assert kept.changes == before + 1


def test_a_lost_watch_resumes_and_misses_nothing(server: apiserver.ApiServer, kept: _Kept) -> None:
    lists = server.count("GET", "nodes")
    server.drop_watches()
    server.put("nodes", objects.node("n2"))
    server.remove("nodes", "n1")
    kept.becomes("n2")
    assert server.count("GET", "nodes") == lists


def test_a_version_that_is_gone_is_listed_anew_and_deletions_are_noticed(
    server: apiserver.ApiServer, kept: _Kept
) -> None:
    with server._lock:  # nothing is delivered before the past is forgotten
        server.remove("nodes", "n1")
        server.put("nodes", objects.node("n2"))
        server.compact()
    kept.becomes("n2")
    assert [view.key for view in kept.mirror.take_gone()] == ["n1"]


def test_it_outlives_the_api_server(server: apiserver.ApiServer, kept: _Kept) -> None:
    server.stop()
    apiserver.until(lambda: not kept.mirror.live)
    assert kept.names() == {"n1"}
    server.put("nodes", objects.node("n2"))
    server.start()
    kept.becomes("n1", "n2")


@pytest.mark.slow
def test_server_errors_are_waited_out_with_growing_pauses(
    server: apiserver.ApiServer, kept: _Kept
) -> None:
    server.failures += [500, 429, 503]
    server.drop_watches()
    server.put("nodes", objects.node("n2"))
    kept.becomes("n1", "n2")
    assert server.failures == []


def test_a_long_list_is_read_in_pages(server: apiserver.ApiServer, client: Client) -> None:
    server.page_size = 2
    for i in range(5):
        server.put("nodes", objects.node(f"n{i}"))
    kept = _Kept(client)
    kept.becomes(*(f"n{i}" for i in range(5)))
    assert server.count("GET", "nodes") == 3
    kept.end(server)


def _broken(name: str) -> api.Object:
    return objects.node(name) | {"spec": {"broken": True}}


def test_an_object_that_cannot_be_read_holds_up_no_other(
    server: apiserver.ApiServer, kept: _Kept, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays as it was last read, is told once and counted, and is read again once it can be."""
    caplog.set_level(logging.INFO, "plainsail")
    for name in ("n1", "n2", "n2"):
        server.put("nodes", _broken(name))
    server.put("nodes", objects.node("n3"))
    kept.becomes("n1", "n3")
    server.compact()
    server.put("nodes", objects.node("n4"))
    kept.becomes("n1", "n3", "n4")
    assert kept.mirror.unreadable == 2
    told = [line for line in caplog.messages if "object_unreadable" in line]
    assert [line.rpartition("object=")[2] for line in told] == ["n1", "n2"]
    server.put("nodes", objects.node("n2"))
    kept.becomes("n1", "n2", "n3", "n4")
    server.remove("nodes", "n1")
    kept.becomes("n2", "n3", "n4")
    assert kept.mirror.unreadable == 0


def test_a_list_with_an_object_that_cannot_be_read_is_read(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("nodes", _broken("n1"))
    server.put("nodes", objects.node("n2"))
    kept = _Kept(client)
    kept.becomes("n2")
    server.remove("nodes", "n1")
    apiserver.until(lambda: kept.mirror.unreadable == 0)
    kept.end(server)


@pytest.mark.parametrize("call", ["get", "watch"])
def test_a_fault_that_nobody_expects_is_waited_out_and_told(
    server: apiserver.ApiServer,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
) -> None:
    """The thread that keeps the list is nobody's to start again."""
    asked, answered = list[str](), getattr(client, call)

    def once(path: str, query: Mapping[str, str]) -> object:
        asked.append(path)
        if len(asked) == 1:
            raise RecursionError("unforeseen")
        return answered(path, query)

    monkeypatch.setattr(client, call, once)
    server.put("nodes", objects.node("n1"))
    kept = _Kept(client)
    kept.becomes("n1")
    apiserver.until(lambda: kept.mirror.live and not kept.mirror.problem)
    assert "RecursionError: unforeseen" in kept.problems
    assert "watch_failed" in caplog.text
    kept.end(server)


def test_a_list_that_was_missing_to_a_watch_is_there_again(
    server: apiserver.ApiServer, kept: _Kept
) -> None:
    """Its definition was deleted and installed anew: nothing of the former list is left."""
    lists = server.count("GET", "nodes")
    server.failures.append(404)
    server.drop_watches()
    apiserver.until(lambda: kept.was_missing)
    apiserver.until(lambda: kept.mirror.live and not kept.mirror.missing)
    assert server.count("GET", "nodes") == lists + 1
