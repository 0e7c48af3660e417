"""Uvicorn's HTTP/1.1 with what it leaves open: limits on a request's head, one write per answer."""

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http import httptools_impl

MAX_HEAD_BYTES = 64 * 2**10
"""Of request line and headers; the API server sends under 1 KiB."""

REQUEST_SECONDS = 4.0
"""For a request to arrive whole once it has begun: the API server gives the call 5 s.

The rest is for the decision: under 0.5 s for whatever the application takes.
"""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Protocol(httptools_impl.HttpToolsProtocol):
    """One connection.

    The time is kept here, and only of what does not arrive in one piece: a timer in the application
    would cost every request a tenth of its time.
    """

    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Like uvicorn's; a connection that sends nothing ends like an idle one."""
        joined: Any = JoinedWrites(transport, self.loop)
        super().connection_made(joined)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Like uvicorn's."""
        self._unset_keepalive_if_required()
        self._stop_timer()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        """Like uvicorn's; a head that is too long, or a request too slow, ends the connection."""
        before = self.cycle
        super().data_received(data)
        under_way = before is not None and not before.response_complete  # type: ignore[redundant-expr]  # None before the first request
        if under_way or self.cycle is not before:
            self._head_bytes = 0
            if not self.cycle.more_body:
                self._stop_timer()
                return
        else:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.abort()
                return
        if self._timer is None:
            self._timer = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Say why, if it is still read; the application hears that the client is gone."""
        self.transport.write(_TOO_SLOW)
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class JoinedWrites:
    """A transport that sends what is written in one turn of the loop as one piece.

    Uvicorn writes head and body of an answer one after the other: each would be a TLS record and
    a system call of its own, a quarter of what a request costs.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send `data`, with whatever else is written in this turn."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """Send the rest, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            data, self._held = b"".join(self._held), []
            self._transport.write(data)
