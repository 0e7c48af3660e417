"""Pages of text for whoever watches a program: metrics, health; standard library alone."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from telemetry import prometheus

Pages = Mapping[str, Callable[[], str]]
"""What stands on a page, by its path."""


def serve(address: tuple[str, int], pages: Pages) -> tuple[str, int]:
    """Answer GETs beside everything else until the process ends; where, if the port was 0.

    Raises:
        OSError: the address cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10.0  # an idle connection holds a thread

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            self._answer(200, page()) if page else self._answer(404, "no such page\n")

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", prometheus.CONTENT_TYPE.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: scrapes are no events."""

    server = ThreadingHTTPServer(address, Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.server_address[:2]
    return str(host), int(port)
