"""A small in-memory API server over HTTP, with faults to order: `api_store.Store` behind a socket.

Watches send bookmarks and end when told to; every line arrives in two pieces.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typing_extensions import override

from kubeapi.client import Client, connect
from tests import api_store
from tests.api_store import Object, Target


@dataclass
class ApiServer(api_store.Store):
    """Start it with `running`, change objects with `put`, order faults by attribute."""

    requests: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request but watches, in order of arrival."""
    failures: list[int] = field(default_factory=list)
    """Statuses that the next requests are answered with, one each."""
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    """Status by method and plural, or object name: every such request is answered so."""
    missing: set[str] = field(default_factory=set)
    """Plurals whose CRD is not installed."""
    on_create: Callable[[str, Object], None] | None = None
    """Called after each create, with plural and object: plays a provider."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self._lock = threading.Condition(threading.RLock())
        self._epoch = 0
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, on the same port as before a `stop`."""
        owner = self

        class Handler(_Handler):
            api = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Go away: connections are refused and open watches end."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        self.drop_watches()

    def drop_watches(self) -> None:
        """End every open watch."""
        with self._lock:
            self._epoch += 1
            self._lock.notify_all()

    @override
    def compact(self) -> None:
        with self._lock:
            super().compact()
        self.drop_watches()

    @override
    def put(self, plural: str, item: Object) -> Object:
        with self._lock:
            return super().put(plural, item)

    @override
    def change(self, plural: str, key: str, mutate: Callable[[Object], object]) -> Object:
        with self._lock:
            return super().change(plural, key, mutate)

    @override
    def remove(self, plural: str, key: str) -> None:
        with self._lock:
            super().remove(plural, key)

    @override
    def all(self, plural: str) -> list[Object]:
        with self._lock:
            return super().all(plural)

    @override
    def create(self, target: Target, body: Object) -> Object:
        created = super().create(target, body)
        if self.on_create:
            self.on_create(target.plural, created)
        return created

    @override
    def changed(self, change: api_store.Change) -> None:
        self._lock.notify_all()

    def count(self, method: str, plural: str) -> int:
        """Requests of a method whose path names the plural."""
        return sum(m == method and f"/{plural}" in path for m, path in list(self.requests))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: else 40 ms a request
    api: ApiServer

    def do_GET(self) -> None:
        target, query = self._target()
        if query.get("watch"):
            self._watch(target, query)
        else:
            self._answer(lambda: self.api.read(target, query))

    def do_POST(self) -> None:
        body = self._body()
        self._answer(lambda: self.api.create(self._target()[0], body))

    def do_PATCH(self) -> None:
        body = self._body()
        target, query = self._target()
        if self.headers["Content-Type"] == "application/merge-patch+json":
            self._answer(lambda: self.api.merge(target, body))
        else:
            self._answer(lambda: self.api.apply(target, query, body))

    def do_DELETE(self) -> None:
        body = self._body()
        self._answer(lambda: self.api.delete(self._target()[0], body.get("preconditions", {})))

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def _target(self) -> tuple[Target, dict[str, str]]:
        parsed = parse_qs(urlsplit(self.path).query)
        return api_store.target(self.path), {key: values[0] for key, values in parsed.items()}

    def _body(self) -> Object:
        length = int(self.headers.get("Content-Length") or 0)
        found: Object = json.loads(self.rfile.read(length) or b"{}")
        return found

    def _answer(self, act: Callable[[], Object]) -> None:
        self.api.requests.append((self.command, self.path))
        try:
            self._fail_if_ordered(self._target()[0].plural)
            with self.api._lock:
                status, body = 200, act()
        except api_store.Failure as failure:
            status, body = failure.status, failure.body
        self._send(status, body)

    def _fail_if_ordered(self, plural: str) -> None:
        api = self.api
        if api.failures:
            raise api_store.Failure(api.failures.pop(0), "Ordered", "a fault was ordered")
        name = self._target()[0].name
        status = api.refused.get((self.command, name), api.refused.get((self.command, plural)))
        if status is not None:
            raise api_store.Failure(status, "Refused", "this kind of request is refused")
        if plural in api.missing:
            raise api_store.Failure(
                404, "NotFound", "the server could not find the requested resource"
            )

    def _send(self, status: int, body: Object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _watch(self, target: Target, query: dict[str, str]) -> None:
        if self.api.failures:
            status = self.api.failures.pop(0)
            self._send(status, {"kind": "Status", "code": status, "reason": "Ordered"})
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for event in self._events(target, query):
                line = json.dumps(event).encode() + b"\n"
                # Two chunks a line: clients must put lines together themselves.
                for part in (line[:7], line[7:]):
                    self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def _events(self, wanted: Target, query: dict[str, str]) -> Iterator[Object]:
        api = self.api
        seen = int(query["resourceVersion"])
        end = time.monotonic() + float(query["timeoutSeconds"])
        epoch = api._epoch
        while time.monotonic() < end:
            with api._lock:
                if api._epoch != epoch:
                    return
                try:
                    fresh = api.changes(wanted.plural, seen)
                except api_store.Failure as failure:
                    yield {"type": "ERROR", "object": failure.body}
                    return
                if not fresh:
                    api._lock.wait(0.5)
                    continue
                seen = fresh[-1].version
            yield from (e for c in fresh if (e := api_store.event(c, wanted, query)))
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(seen)}}}


@contextmanager
def running() -> Iterator[ApiServer]:
    """A server on a free port of the loopback."""
    server = ApiServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def kubeconfig(server: ApiServer, directory: Path) -> str:
    """Path of a kubeconfig file for the server."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "memory", "cluster": {"server": server.url}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "memory", "context": {"cluster": "memory", "user": "nobody"}}],
        "current-context": "memory",
    }
    path = directory / "kubeconfig"
    path.write_text(json.dumps(content))
    return str(path)


def until(holds: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What `holds` returns once it is true; an assertion error when it stays false."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)
    return found


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """An empty API server."""
    with running() as started:
        yield started


@pytest.fixture
def client(server: ApiServer, tmp_path: Path) -> Client:
    """Our client of that server."""
    return connect(kubeconfig(server, tmp_path), program="tests")
