"""The HTTP edge: a plain ASGI application that kube-scheduler calls on the loopback address."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from scheduler_ext import answers, metrics, snapshot, wire
from telemetry import logs, prometheus

MAX_BODY_BYTES = 8 * 2**20
"""Names alone: those of the 15,000 nodes of the largest cluster, at their longest of 253 bytes, and
a pod, which etcd limits to 1.5 MiB. Whole nodes are refused whatever they measure."""

BODY_SECONDS = 1.0
"""Time for a body to arrive: with the answer, below the 2 s that kube-scheduler gives the call."""

NODES_REFUSED = (
    "whole nodes were sent, and the scheduler extender of Plainsail takes names: "
    "set `nodeCacheCapable: true` in the scheduler's configuration"
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Answer = tuple[int, bytes, bytes]
"""Status, content type and body."""

_JSON = b"application/json"
_TEXT = b"text/plain; charset=utf-8"


class Seen(Protocol):
    """Where the snapshot comes from."""

    @property
    def snapshot(self) -> snapshot.Snapshot:
        """The latest."""
        ...

    @property
    def watched(self) -> int:
        """How many lists are watched now."""
        ...

    @property
    def unreadable(self) -> int:
        """How many objects cannot be read."""
        ...


class Refused(Exception):
    """A request that has no answer; status and one line of text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class App:
    """POST /filter, /prioritize and /preempt; GET and HEAD /healthz, /readyz and /metrics."""

    def __init__(self, seen: Seen, counted: metrics.Metrics) -> None:
        self._seen = seen
        self._metrics = counted
        self._posts = {
            "/filter": self._filter,
            "/prioritize": self._prioritize,
            "/preempt": self._preempt,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            raise RuntimeError(f"not an HTTP request: {scope['type']}")
        status, kind, body = await self._answered(scope, receive)
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        if status == _NOT_ALLOWED:
            headers.append((b"allow", _METHODS[scope["path"]].encode()))
        if status == _TOO_LARGE:
            headers.append((b"connection", b"close"))  # the rest of it is not worth reading
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if _is_head(scope) else body})

    async def _answered(self, scope: Scope, receive: Receive) -> Answer:
        path = scope["path"]
        try:
            return await self._answer(scope, receive)
        except Refused as refused:
            self._metrics.answered(path if path in self._posts else "other", str(refused.status))
            logs.warning("refused", status=refused.status, why=refused.text)
            return refused.status, _TEXT, f"{refused.text}\n".encode()
        except Exception as error:  # noqa: BLE001 - the boundary: a status for the client, the log gets the traceback
            self._metrics.answered(path if path in self._posts else "other", "failed")
            logs.failure("failed", error, path=path)
            return 500, _TEXT, b"internal error\n"

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if path not in _METHODS:
            raise Refused(404, "no such path; known: " + ", ".join(_METHODS))
        if method not in _METHODS[path].split(", "):
            raise Refused(_NOT_ALLOWED, f"{path} takes {_METHODS[path]}")
        if answer := self._posts.get(path):
            return 200, _JSON, self._timed(path, answer, await _body(scope, receive))
        if path == "/metrics":
            self._metrics.watched = self._seen.watched
            self._metrics.unreadable = self._seen.unreadable
            return 200, prometheus.CONTENT_TYPE, self._metrics.render().encode()
        if path == "/readyz" and (unread := self._seen.snapshot.unread):
            return 503, _TEXT, f"not yet read: {', '.join(unread)}\n".encode()
        return 200, _TEXT, b"ok\n"

    def _timed(self, path: str, answer: Callable[[bytes], bytes], body: bytes) -> bytes:
        start = time.perf_counter()
        try:
            found = answer(body)
        except wire.Malformed as error:
            raise Refused(400, str(error)) from error
        self._metrics.took(path, time.perf_counter() - start)
        self._metrics.answered(path, "answered")
        return found

    def _filter(self, body: bytes) -> bytes:
        asked = wire.read(body)
        if asked.has_nodes:
            logs.failure("whole_nodes", hint="set nodeCacheCapable: true")
            return wire.filtered([], {}, error=NODES_REFUSED)
        found = answers.filtered(asked.pod, asked.names, self._seen.snapshot)
        self._metrics.refused(found.codes)
        if found.unknown:
            self._metrics.unknown += len(found.unknown)
            logs.warning("unknown_nodes", first=found.unknown[0], count=len(found.unknown))
        return wire.filtered(found.passed, found.failed)

    def _prioritize(self, body: bytes) -> bytes:
        asked = wire.read(body)
        return wire.prioritized(answers.prioritized(asked.pod, asked.names, self._seen.snapshot))

    def _preempt(self, body: bytes) -> bytes:
        asked = wire.read_preempt(body)
        return wire.preempted(answers.preempted(asked, self._seen.snapshot))


_NOT_ALLOWED, _TOO_LARGE = 405, 413
_METHODS = {
    **dict.fromkeys(("/filter", "/prioritize", "/preempt"), "POST"),
    **dict.fromkeys(("/healthz", "/readyz", "/metrics"), "GET, HEAD"),
}


def _is_head(scope: Scope) -> bool:
    return bool(scope["method"] == "HEAD")


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body, of at most `MAX_BODY_BYTES` and within `BODY_SECONDS`."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
            raise _too_large()
    parts = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the client went away")
                parts += message.get("body", b"")
                if len(parts) > MAX_BODY_BYTES:
                    raise _too_large()
                if not message.get("more_body"):
                    return bytes(parts)
    except TimeoutError as error:
        raise Refused(408, f"the body did not arrive within {BODY_SECONDS:g} s") from error


def _too_large() -> Refused:
    return Refused(_TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES} bytes; {NODES_REFUSED}")
