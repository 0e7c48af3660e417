"""The HTTP edge: a plain ASGI application, no framework between the socket and the decision."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from presets import catalog
from telemetry import logs
from webhook import admit, machines, metrics, reasons, review

MAX_BODY_BYTES = 8 * 2**20
"""An object is at most 1.5 MiB (etcd's limit) and a review holds two, escaped."""

BODY_SECONDS = 4.0
"""Time for a body to arrive: below the 5 s that the API server gives the whole call."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_JSON = b"application/json"
_TEXT = b"text/plain; charset=utf-8"


class Refused(Exception):
    """A request that is not answered with a review; status and one line of text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class App:
    """POST /mutate, GET /healthz, /readyz and /metrics; never a redirect."""

    def __init__(self, known: catalog.Catalog, cloud: str = machines.CLOUD) -> None:
        self._catalog = known
        self._cloud = cloud
        self._metrics = metrics.Metrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            raise RuntimeError(f"not an HTTP request: {scope['type']}")
        try:
            status, kind, body = await self._answer(scope, receive)
        except Refused as refused:
            status, kind, body = refused.status, _TEXT, f"{refused.text}\n".encode()
            self._metrics.answered("refused", str(refused.status), 0.0)
            logs.warning("refused", status=refused.status, why=refused.text)
        except Exception as error:  # noqa: BLE001
            # The boundary: whatever it is, the client gets a status and the log the traceback.
            self._metrics.answered("failed", "InternalError", 0.0)
            logs.failure("failed", error, path=scope["path"])
            status, kind, body = 500, _TEXT, b"internal error\n"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes, bytes]:
        path, method = scope["path"], scope["method"]
        if path not in _METHODS:
            raise Refused(404, "no such path; known: " + ", ".join(_METHODS))
        if method != _METHODS[path]:
            raise Refused(405, f"{path} takes {_METHODS[path]}")
        if path == "/mutate":
            return 200, _JSON, self._mutate(await _body(scope, receive))
        if path == "/metrics":
            return 200, metrics.CONTENT_TYPE, self._metrics.render().encode()
        return 200, _TEXT, b"ok\n"

    def _mutate(self, body: bytes) -> bytes:
        start = time.perf_counter()
        try:
            asked = review.read(body)
        except review.MalformedReview as error:
            raise Refused(400, str(error)) from error
        decision = admit.admit(asked.request, self._catalog, self._cloud)
        answer = review.answer(asked, decision)
        outcome, codes = outcome_of(decision)
        self._metrics.answered(outcome, codes[0], time.perf_counter() - start)
        if codes[0] not in _QUIET:
            logs.info(outcome, object=asked.subject, reasons=",".join(codes))
        return answer


_METHODS = {"/mutate": "POST", "/healthz": "GET", "/readyz": "GET", "/metrics": "GET"}
_QUIET = frozenset({reasons.UNCHANGED, *reasons.SKIPPED})
"""Reasons that are not worth a line: nothing happened."""


def outcome_of(decision: admit.Decision) -> tuple[str, list[str]]:
    """Outcome and reason codes of a decision, for logs and metrics."""
    if isinstance(decision, admit.Denied):
        return "denied", sorted({error.reason for error in decision.errors})
    if isinstance(decision, admit.Skipped):
        return "skipped", [decision.reason]
    return "allowed", [decision.reason]


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body, of at most `MAX_BODY_BYTES` and within `BODY_SECONDS`."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
            raise Refused(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _received(receive)
    except TimeoutError as error:
        raise Refused(408, f"the body did not arrive within {BODY_SECONDS:g} s") from error


async def _received(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        return _checked(message.get("body", b""))
    parts = bytearray(message.get("body", b""))
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the client went away")
        parts += message.get("body", b"")
        _checked(parts)
    return bytes(parts)


def _checked(body: bytes | bytearray) -> bytes:
    if len(body) > MAX_BODY_BYTES:
        raise Refused(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return body  # type: ignore[return-value]  # the caller copies a bytearray
