"""`python -m webhook serve`: the webhook as a process."""

import datetime as dt
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import uvicorn
from typing_extensions import override

from presets import catalog
from telemetry import logs
from webhook import app, protocol, settings, terms

KEEP_ALIVE_SECONDS = 120
"""Above the 90 s after which the API server's HTTP client drops an idle connection itself."""

LINGER_SECONDS = 2.0
"""Served on after the signal to end, not ready: the API server may not yet know that we go.

Endpoints reach a kube-proxy within a second or so. A second signal ends it at once.
"""

DRAIN_SECONDS = 10
"""For requests under way after that; each takes at most 5 s."""


class CannotStart(Exception):
    """What stands against serving, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; the process's exit status."""
    chosen, flags = settings.from_argv(sys.argv[1:] if argv is None else argv)
    logs.configure()
    try:
        started = dt.datetime.now(dt.UTC).timestamp()
        served = app.App(terms.of(flags, _presets(chosen.presets)), started=started)
        config = _config(chosen, served)
        listener = _listener(chosen)
    except CannotStart as error:
        print(f"error: {error}\n  hint: {error.hint}", file=sys.stderr)
        return 1
    with listener:
        host, port = listener.getsockname()[:2]
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _end)  # uvicorn drains first, then raises the signal again
        logs.info("serving", host=host, port=port)
        _Server(config, served).run(sockets=[listener])
    return 0


class _Server(uvicorn.Server):
    """Uvicorn, which told to end serves on for a while before it closes its listener."""

    def __init__(self, config: uvicorn.Config, served: app.App) -> None:
        super().__init__(config)
        self._served = served
        self._told: tuple[int, float] | None = None

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._told is not None:
            super().handle_exit(sig, frame)
            return
        self._told = (sig, time.monotonic() + LINGER_SECONDS)
        self._served.drain()

    @override
    async def on_tick(self, counter: int) -> bool:
        """Uvicorn calls it ten times a second."""
        if self._told is not None and not self.should_exit and time.monotonic() >= self._told[1]:
            super().handle_exit(self._told[0], None)
        return await super().on_tick(counter)


def _presets(own: Path | None) -> catalog.Catalog:
    try:
        return catalog.load(catalog.read_directory(own) if own else None)
    except (OSError, catalog.MalformedPresets) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        hint = "mend what is named, or leave out the flag"
        raise CannotStart(f"--presets {own}: {why}", hint) from error


def _config(chosen: settings.Settings, served: app.App) -> uvicorn.Config:
    config = uvicorn.Config(
        served,
        ssl_certfile=chosen.tls_cert,
        ssl_keyfile=chosen.tls_key,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="off",
        http=protocol.Protocol,
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=False,
    )
    try:
        config.load()
    except ssl.SSLError as error:
        hint = "give a PEM chain and the key of its first certificate"
        raise CannotStart(f"{_tls_flags(chosen)}: {error.reason}", hint) from error
    except OSError as error:
        hint = "let the user that the webhook runs as read both"
        raise CannotStart(f"{_tls_flags(chosen)}: {error.strerror}", hint) from error
    return config


def _tls_flags(chosen: settings.Settings) -> str:
    return f"--tls-cert {chosen.tls_cert}, --tls-key {chosen.tls_key}"


def _listener(chosen: settings.Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    try:
        return socket.create_server((chosen.host, chosen.port), family=family, backlog=2048)
    except socket.gaierror as error:
        hint = "give an address of this machine"
        raise CannotStart(f"--host {chosen.host}: {error.strerror}", hint) from error
    except OSError as error:
        raise CannotStart(
            f"--host {chosen.host}, --port {chosen.port}: {os.strerror(error.errno or 0)}",
            "choose another port, or end the process that holds this one",
        ) from error


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
