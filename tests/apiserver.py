"""A small in-memory API server over HTTP, with faults to order.

Speaks what our clients use: list with pages and selectors, watch with resource versions and
bookmarks, create, server-side apply (a whole-object approximation), delete with preconditions and
finalizers, 409 and 410. It validates nothing.
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
from uuid import uuid4

import pytest
from typing_extensions import override

from kubeapi.client import Client, connect

Object = dict[str, Any]


@dataclass(frozen=True)
class _Change:
    version: int
    plural: str
    before: Object | None
    after: Object | None


@dataclass
class _Target:
    """What a request path names."""

    plural: str
    namespace: str = ""
    name: str = ""


@dataclass
class ApiServer:
    """Start it with `running`, change objects with `put`, order faults by attribute."""

    objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    """By plural and key (namespace/name, or name)."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request but watches, in order of arrival."""
    failures: list[int] = field(default_factory=list)
    """Statuses that the next requests are answered with, one each."""
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    """Status by method and plural, or object name: every such request is answered so."""
    missing: set[str] = field(default_factory=set)
    """Plurals whose CRD is not installed."""
    page_size: int = 500
    on_create: Callable[[str, Object], None] | None = None
    """Called after each create, with plural and object: plays a provider."""

    def __post_init__(self) -> None:
        self._version = 100
        self._oldest = 100
        self._history: list[_Change] = []
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

    def compact(self) -> None:
        """Forget the past: watches from before now get 410."""
        with self._lock:
            self._version += 1
            self._oldest = self._version
            self._history.clear()
        self.drop_watches()

    def put(self, plural: str, item: Object) -> Object:
        """Create or replace an object; the stored copy."""
        with self._lock:
            meta = {"uid": str(uuid4()), **item["metadata"]}
            key = (plural, _key(meta))
            if before := self.objects.get(key):
                meta["uid"] = before["metadata"]["uid"]
            return self._store(key, {**item, "metadata": meta})

    def change(self, plural: str, key: str, mutate: Callable[[Object], None]) -> Object:
        """Change a copy of an object and store it."""
        with self._lock:
            item: Object = json.loads(json.dumps(self.objects[plural, key]))
            mutate(item)
            return self._store((plural, key), item)

    def remove(self, plural: str, key: str) -> None:
        """Take an object away, if it is there."""
        with self._lock:
            if (plural, key) in self.objects:
                self._store((plural, key), None)

    def all(self, plural: str) -> list[Object]:
        """Every object of a kind."""
        with self._lock:
            return [item for (kind, _), item in self.objects.items() if kind == plural]

    def count(self, method: str, plural: str) -> int:
        """Requests of a method whose path names the plural."""
        return sum(m == method and f"/{plural}" in path for m, path in list(self.requests))

    def _store(self, key: tuple[str, str], item: Object | None) -> Object:
        self._version += 1
        before = self.objects.pop(key, None)
        kept = item if item is not None else before
        assert kept is not None
        meta = {**kept["metadata"], "resourceVersion": str(self._version)}
        stored = {**kept, "metadata": meta}
        if item is not None:
            self.objects[key] = stored
        after = None if item is None else stored
        self._history.append(_Change(self._version, key[0], before, after))
        self._lock.notify_all()
        return stored


class _Failure(Exception):
    def __init__(self, status: int, reason: str, message: str = "") -> None:
        super().__init__(status, reason)
        self.status = status
        self.body = {"kind": "Status", "code": status, "reason": reason, "message": message}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: ApiServer

    def do_GET(self) -> None:
        target, query = self._target()
        if query.get("watch"):
            self._watch(target, query)
        else:
            self._answer(lambda: self._get(target, query))

    def do_POST(self) -> None:
        body = self._body()
        self._answer(lambda: self._create(self._target()[0], body))

    def do_PATCH(self) -> None:
        body = self._body()
        target, query = self._target()
        if self.headers["Content-Type"] == "application/merge-patch+json":
            self._answer(lambda: self._merge(target, body))
        else:
            self._answer(lambda: self._apply(target, query, body))

    def do_DELETE(self) -> None:
        body = self._body()
        self._answer(lambda: self._delete(self._target()[0], body.get("preconditions", {})))

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def _target(self) -> tuple[_Target, dict[str, str]]:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        words = parts.path.strip("/").split("/")[2 if parts.path.startswith("/api/") else 3 :]
        namespace = ""
        if words[0] == "namespaces" and len(words) > 2:
            namespace, words = words[1], words[2:]
        return _Target(words[0], namespace, words[1] if len(words) > 1 else ""), query

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
        except _Failure as failure:
            status, body = failure.status, failure.body
        self._send(status, body)

    def _fail_if_ordered(self, plural: str) -> None:
        api = self.api
        if api.failures:
            raise _Failure(api.failures.pop(0), "Ordered", "a fault was ordered")
        name = self._target()[0].name
        status = api.refused.get((self.command, name), api.refused.get((self.command, plural)))
        if status is not None:
            raise _Failure(status, "Refused", "this kind of request is refused")
        if plural in api.missing:
            raise _Failure(404, "NotFound", "the server could not find the requested resource")

    def _send(self, status: int, body: Object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _get(self, target: _Target, query: dict[str, str]) -> Object:
        if target.name:
            return self._found(target)
        found = sorted(_key(item["metadata"]) for item in self.api.all(target.plural))
        chosen = [self.api.objects[target.plural, key] for key in found]
        chosen = [item for item in chosen if _matches(item, query)]
        start = int(query.get("continue", "0"))
        end = start + min(int(query.get("limit", "500")), self.api.page_size)
        meta: Object = {"resourceVersion": str(self.api._version)}
        if end < len(chosen):
            meta["continue"] = str(end)
        return {"metadata": meta, "items": chosen[start:end]}

    def _create(self, target: _Target, body: Object) -> Object:
        key = (target.plural, _key(body["metadata"]))
        if key in self.api.objects:
            raise _Failure(409, "AlreadyExists", f"{key[1]} already exists")
        created = self.api.put(target.plural, body)
        if self.api.on_create:
            self.api.on_create(target.plural, created)
        return created

    def _apply(self, target: _Target, query: dict[str, str], body: Object) -> Object:
        key = (target.plural, _key(body["metadata"]))
        before = self.api.objects.get(key)
        if before is None:
            return self.api.put(target.plural, body)
        differing = [name for name, value in body["spec"].items() if before["spec"][name] != value]
        if differing and query.get("force") != "true":
            raise _Failure(409, "Conflict", f"conflict over {', '.join(differing)}")
        meta = {**before["metadata"], **body["metadata"]}
        return self.api.put(
            target.plural, {**body, "metadata": meta, "spec": {**before["spec"], **body["spec"]}}
        )

    def _merge(self, target: _Target, body: Object) -> Object:
        found, held = self._found(target), body.get("metadata", {})
        for name in ("uid", "resourceVersion"):
            if held.get(name, found["metadata"].get(name)) != found["metadata"].get(name):
                raise _Failure(409, "Conflict", f"{name} does not hold")
        return self.api.put(target.plural, _merged(found, body))

    def _delete(self, target: _Target, preconditions: dict[str, str]) -> Object:
        found = self._found(target)
        if any(found["metadata"][name] != value for name, value in preconditions.items()):
            raise _Failure(409, "Conflict", "a precondition does not hold")
        key = _key(found["metadata"])
        if found["metadata"].get("finalizers"):
            stamp = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
            return self.api.change(target.plural, key, lambda o: o["metadata"].update(stamp))
        self.api.remove(target.plural, key)
        return {"kind": "Status", "status": "Success"}

    def _found(self, target: _Target) -> Object:
        key = f"{target.namespace}/{target.name}" if target.namespace else target.name
        if (found := self.api.objects.get((target.plural, key))) is None:
            raise _Failure(404, "NotFound", f"{key} not found")
        return found

    def _watch(self, target: _Target, query: dict[str, str]) -> None:
        if self.api.failures:
            status = self.api.failures.pop(0)
            self._send(status, {"kind": "Status", "code": status, "reason": "Ordered"})
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for event in self._events(target.plural, query):
                line = json.dumps(event).encode() + b"\n"
                # Two chunks a line: clients must put lines together themselves.
                for part in (line[:7], line[7:]):
                    self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def _events(self, plural: str, query: dict[str, str]) -> Iterator[Object]:
        api = self.api
        seen = int(query["resourceVersion"])
        end = time.monotonic() + float(query["timeoutSeconds"])
        with api._lock:
            epoch = api._epoch
            if seen < api._oldest:
                yield {"type": "ERROR", "object": _Failure(410, "Expired", "too old").body}
                return
        while time.monotonic() < end:
            with api._lock:
                if api._epoch != epoch:
                    return
                fresh = [change for change in api._history if change.version > seen]
                if not fresh:
                    api._lock.wait(0.5)
                    continue
                seen = fresh[-1].version
            yield from (e for c in fresh if c.plural == plural and (e := _event(c, query)))
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(seen)}}}


def _event(change: _Change, query: dict[str, str]) -> Object | None:
    """The event that a watcher with these selectors sees, as the real server computes it."""
    was = change.before is not None and _matches(change.before, query)
    is_ = change.after is not None and _matches(change.after, query)
    if is_:
        return {"type": "MODIFIED" if was else "ADDED", "object": change.after}
    if not was or change.before is None:
        return None
    meta = {**change.before["metadata"], "resourceVersion": str(change.version)}
    return {"type": "DELETED", "object": {**change.before, "metadata": meta}}


def _merged(item: Object, patch: Object) -> Object:
    """RFC 7386."""
    changed = {**item}
    for key, value in patch.items():
        if value is None:
            changed.pop(key, None)
        else:
            before = item.get(key) if isinstance(item.get(key), dict) else {}
            changed[key] = _merged(before or {}, value) if isinstance(value, dict) else value
    return changed


def _matches(item: Object, query: dict[str, str]) -> bool:
    labels = item["metadata"].get("labels", {})
    chosen = all(name in labels for name in query.get("labelSelector", "").split(",") if name)
    return chosen and all(
        _field_matches(item, term) for term in query.get("fieldSelector", "").split(",") if term
    )


def _field_matches(item: Object, term: str) -> bool:
    path, _, value = term.partition("=")
    found: Any = item
    for word in path.removesuffix("!").split("."):
        found = found.get(word, {}) if isinstance(found, dict) else {}
    return (found == value) is not path.endswith("!")


def _key(meta: Object) -> str:
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


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
