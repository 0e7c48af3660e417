"""The HTTP edge: a plain ASGI application, no framework between the socket and the decision."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from telemetry import logs, prometheus
from webhook import metrics, reasons, review
from webhook.decisions import Decisions
from webhook.terms import Terms

MAX_BODY_BYTES = 8 * 2**20
"""An object is at most 1.5 MiB (etcd's limit) and a review holds two, escaped."""

MAX_PENDING_BYTES = 64 * 2**20
"""Of all bodies that are still arriving together: what memory they may take."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Answer = tuple[int, bytes, bytes]
"""Status, content type and body."""

_JSON = b"application/json"
_TEXT = b"text/plain; charset=utf-8"


class Refused(Exception):
    """A request that is not answered with a review; status and one line of text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class App:
    """POST /mutate, GET and HEAD /healthz, /readyz and /metrics; never a redirect."""

    def __init__(
        self,
        terms: Terms,
        *,
        started: float = 0.0,
    ) -> None:
        """`started`: when the process did, in seconds since 1970; 0: not told in the metrics."""
        self._decisions = Decisions(terms)
        self._metrics = metrics.Metrics(started)
        self._pending_bytes = 0
        self._is_draining = False

    def drain(self) -> None:
        """From now on not ready, and every answer ends its connection; requests are answered."""
        self._is_draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            raise RuntimeError(f"not an HTTP request: {scope['type']}")
        self._metrics.inflight += 1
        try:
            status, kind, body = await self._answered(scope, receive)
            headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
            if status == _NOT_ALLOWED:
                headers.append((b"allow", _METHODS[scope["path"]].encode()))
            if self._is_draining or status == _TOO_LARGE:
                # What is left of a body that is too large is not worth reading.
                headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            shown = b"" if scope["method"] == "HEAD" else body
            await send({"type": "http.response.body", "body": shown})
        finally:
            self._metrics.inflight -= 1

    async def _answered(self, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._answer(scope, receive)
        except Refused as refused:
            self._metrics.answered("refused", str(refused.status))
            logs.warning("refused", status=refused.status, why=refused.text)
            return refused.status, _TEXT, f"{refused.text}\n".encode()
        except Exception as error:  # noqa: BLE001 - the boundary: a status for the client, the log gets the traceback
            self._metrics.answered("failed", "InternalError")
            logs.failure("failed", error, path=scope["path"])
            return 500, _TEXT, b"internal error\n"

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if path not in _METHODS:
            raise Refused(404, "no such path; known: " + ", ".join(_METHODS))
        if method not in _METHODS[path].split(", "):
            raise Refused(_NOT_ALLOWED, f"{path} takes {_METHODS[path]}")
        if path == "/mutate":
            return 200, _JSON, self._mutate(await self._body(scope, receive))
        if path == "/metrics":
            return 200, prometheus.CONTENT_TYPE, self._metrics.render().encode()
        if path == "/readyz" and self._is_draining:
            return 503, _TEXT, b"draining\n"
        return 200, _TEXT, b"ok\n"

    def _mutate(self, body: bytes) -> bytes:
        start = time.perf_counter()
        try:
            asked = review.read(body)
        except review.MalformedReview as error:
            raise Refused(400, str(error)) from error
        told = self._decisions.of(asked)
        answer = review.answer(asked.uid, told.response)
        self._metrics.answered(told.outcome, told.codes[0])
        self._metrics.took(time.perf_counter() - start)
        if told.codes[0] not in _QUIET:
            logs.info(told.outcome, object=asked.subject, reasons=",".join(told.codes))
        return answer

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, of at most `MAX_BODY_BYTES`; `webhook.protocol` keeps the time."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
                raise _too_large()
        message = await receive()
        if message.get("more_body"):
            return await self._joined(message, receive)
        if message["type"] == "http.disconnect":
            raise _gone()
        body: bytes = message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
        return body

    async def _joined(self, message: Message, receive: Receive) -> bytes:
        """A body in parts; `message` is the first."""
        parts = bytearray()
        try:
            while True:
                part = message.get("body", b"")
                parts += part
                self._pending_bytes += len(part)
                if len(parts) > MAX_BODY_BYTES:
                    raise _too_large()
                if self._pending_bytes > MAX_PENDING_BYTES:
                    raise Refused(503, "too many large bodies at once")
                if not message.get("more_body"):
                    return bytes(parts)
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _gone()
        finally:
            self._pending_bytes -= len(parts)


_NOT_ALLOWED, _TOO_LARGE = 405, 413
_METHODS = {
    "/mutate": "POST",
    "/healthz": "GET, HEAD",
    "/readyz": "GET, HEAD",
    "/metrics": "GET, HEAD",
}
_QUIET = frozenset({reasons.UNCHANGED, *reasons.SKIPPED})
"""Reasons that are not worth a line: nothing happened."""


def _gone() -> Refused:
    return Refused(400, "the client went away, or was too slow, before the body was there")


def _too_large() -> Refused:
    return Refused(_TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES} bytes")
