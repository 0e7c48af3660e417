"""`python -m webhook serve`: the webhook as a process."""

import os
import signal
import socket
import ssl
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn

from presets import catalog
from telemetry import logs
from webhook import app, settings

KEEP_ALIVE_SECONDS = 120
"""Above the 90 s after which the API server's HTTP client drops an idle connection itself."""

DRAIN_SECONDS = 10
"""For requests under way when the process is told to end; each takes at most 5 s."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; the process's exit status."""
    chosen = settings.from_argv(sys.argv[1:] if argv is None else argv)
    logs.configure()
    config = uvicorn.Config(
        app.App(catalog.load()),
        ssl_certfile=chosen.tls_cert,
        ssl_keyfile=chosen.tls_key,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="off",
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
        return _fail(
            f"--tls-cert {chosen.tls_cert}, --tls-key {chosen.tls_key}: {error.reason}",
            "give a PEM chain and the key of its first certificate",
        )
    try:
        family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
        listener = socket.create_server((chosen.host, chosen.port), family=family, backlog=2048)
    except socket.gaierror as error:
        return _fail(f"--host {chosen.host}: {error.strerror}", "give an address of this machine")
    except OSError as error:
        return _fail(
            f"--host {chosen.host}, --port {chosen.port}: {os.strerror(error.errno or 0)}",
            "choose another port, or end the process that holds this one",
        )
    with listener:
        host, port = listener.getsockname()[:2]
        logs.info("serving", host=host, port=port)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _end)  # uvicorn drains first, then raises the signal again
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _fail(message: str, hint: str) -> int:
    print(f"error: {message}\n  hint: {hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
