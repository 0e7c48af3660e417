"""Uvicorn's HTTP/1.1 with what it leaves open: limits on a request's head, one write per answer."""

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http import httptools_impl

MAX_HEAD_BYTES = 64 * 2**10
"""Of request line and headers; the API server sends under 1 KiB."""

HEAD_SECONDS = 4.0
"""Time for a head to arrive once it has begun; as much as a body gets."""


class Protocol(httptools_impl.HttpToolsProtocol):
    """One connection."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

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
        self._head_is_whole()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        """Like uvicorn's; a head that is too long, or too long in coming, ends the connection."""
        before = self.cycle
        super().data_received(data)
        under_way = before is not None and not before.response_complete  # type: ignore[redundant-expr]  # uvicorn declares a cycle where there is none before the first request
        if under_way or self.cycle is not before:
            if self._head_timer is not None:
                self._head_is_whole()
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.transport.abort()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _head_is_whole(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer, self._head_bytes = None, 0


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
