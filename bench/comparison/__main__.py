"""`python -m bench.comparison CERTIFICATE KEY`: the comparison, on a free port of the loopback."""

import socket
import sys

import uvicorn

from bench.comparison import handler
from presets import catalog


def main() -> None:
    """Serve until a signal; the port is said on standard error, as the webhook says its own."""
    certificate, key = sys.argv[1:]
    config = uvicorn.Config(
        handler.application(catalog.load()),
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_keep_alive=120,
        access_log=False,
        log_level="warning",
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"port={listener.getsockname()[1]}", file=sys.stderr, flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
