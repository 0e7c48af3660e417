"""The client against an API server: raw dicts, typed errors, broken streams."""

import socket
import threading
from pathlib import Path

import pytest

from kubeapi import api
from kubeapi.client import Client, NoCluster, connect
from tests import apiserver
from tests.node_provisioner import objects

_NODES = "/api/v1/nodes"


def test_objects_come_and_go_unchanged(server: apiserver.ApiServer, client: Client) -> None:
    created = client.create(_NODES, objects.node("n1") | {"unknownField": [1]})
    assert created["unknownField"] == [1]
    assert client.get(f"{_NODES}/n1") == created
    assert [item["metadata"]["name"] for item in client.get(_NODES)["items"]] == ["n1"]
    client.delete(f"{_NODES}/n1", {"uid": created["metadata"]["uid"]})
    assert server.all("nodes") == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, api.Rejected),
        (401, api.Forbidden),
        (403, api.Forbidden),
        (404, api.NotFound),
        (409, api.Conflict),
        (410, api.Gone),
        (422, api.Rejected),
        (429, api.Unavailable),
        (500, api.Unavailable),
        (503, api.Unavailable),
    ],
)
def test_every_status_is_an_error_of_its_kind(
    server: apiserver.ApiServer, client: Client, status: int, kind: type[api.ApiError]
) -> None:
    for call in (lambda: client.get(_NODES), lambda: client.watch(_NODES, {})):
        server.failures.append(status)
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.status == status


def test_a_deletion_with_another_uid_is_a_conflict(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("nodes", objects.node("n1"))
    with pytest.raises(api.Conflict):
        client.delete(f"{_NODES}/n1", {"uid": "another"})
    assert len(server.all("nodes")) == 1


def test_a_merge_patch_changes_what_it_names_and_takes_away_what_it_nulls(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("nodes", objects.node("n1") | {"spec": {"a": 1, "b": {"c": 2, "d": 3}}})
    patched = client.patch(f"{_NODES}/n1", {"spec": {"a": None, "b": {"c": 4}}})
    assert patched["spec"] == server.all("nodes")[0]["spec"] == {"b": {"c": 4, "d": 3}}


@pytest.mark.parametrize("key", ["uid", "resourceVersion"])
def test_a_patch_of_another_object_or_an_older_one_is_a_conflict(
    server: apiserver.ApiServer, client: Client, key: str
) -> None:
    before = server.put("nodes", objects.node("n1"))
    with pytest.raises(api.Conflict):
        client.patch(f"{_NODES}/n1", {"metadata": {key: "1"}, "spec": {"a": 1}})
    assert server.all("nodes") == [before]
    held = before["metadata"][key]
    assert client.patch(f"{_NODES}/n1", {"metadata": {key: held}, "spec": {"a": 1}})["spec"]


def test_a_server_that_is_away_is_unavailable(server: apiserver.ApiServer, client: Client) -> None:
    server.stop()
    for call in (lambda: client.get(_NODES), lambda: client.watch(_NODES, {})):
        with pytest.raises(api.Unavailable):
            call()
    server.start()
    assert client.get(_NODES)["items"] == []


def test_a_watch_shows_changes_in_order(server: apiserver.ApiServer, client: Client) -> None:
    start = client.get(_NODES)["metadata"]["resourceVersion"]
    server.put("nodes", objects.node("n1"))
    server.put("nodes", objects.node("n1", gpus=2))
    server.remove("nodes", "n1")
    events = client.watch(_NODES, {"resourceVersion": start})
    assert [next(events)["type"] for _ in range(4)] == ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    server.drop_watches()
    assert list(events) == []


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            b'200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"type": "ADDED", "obj',
            id="in an event",
        ),
        pytest.param(
            b'500 Internal\r\nContent-Length: 900\r\n\r\n{"kind": "Status"', id="in an error"
        ),
    ],
)
def test_a_watch_cut_in_the_middle_is_unavailable(tmp_path: Path, sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 " + sent)

        threading.Thread(target=serve, daemon=True).start()
        server = apiserver.ApiServer()
        server._port = listener.getsockname()[1]
        client = connect(apiserver.kubeconfig(server, tmp_path), program="tests")
        with pytest.raises(api.Unavailable):
            list(client.watch(_NODES, {}))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(None, "kubeconfig", id="missing"),
        pytest.param("", "kubeconfig", id="empty"),
        pytest.param("{}", "kubeconfig", id="without content"),
    ],
)
def test_a_bad_kubeconfig_is_named_with_a_hint(
    tmp_path: Path, content: str | None, told: str
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with pytest.raises(NoCluster, match=told) as caught:
        connect(str(path), program="tests")
    assert "hint: give --kubeconfig FILE" in str(caught.value)


def test_outside_of_a_pod_a_kubeconfig_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NoCluster, match="in-cluster configuration"):
        connect(None, program="tests")
