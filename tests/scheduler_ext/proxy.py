"""What stands between kube-scheduler and the extender in tests: counts, records, and does harm."""

import http.client
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override


@dataclass
class Proxy:
    """Passes requests on to the extender's port, unless told otherwise."""

    extender_port: int
    calls: list[tuple[str, bytes]] = field(default_factory=list)
    """Path and body of each request, as it came."""
    delay_seconds: float = 0.0
    hang_up: bool = False
    """Close the connection without an answer, as a process that is killed does."""

    def __post_init__(self) -> None:
        outer = self

        class Handler(_Handler):
            proxy = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()

    def count(self, path: str) -> int:
        """Requests of a path."""
        return sum(called == path for called, _ in list(self.calls))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def do_POST(self) -> None:
        proxy = self.proxy
        body = self.rfile.read(int(self.headers["Content-Length"]))
        proxy.calls.append((self.path, body))
        time.sleep(proxy.delay_seconds)
        if proxy.hang_up:
            self.close_connection = True
            return
        answer = self._asked(body)
        status = 200 if answer is not None else 502
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer or b'')}\r\n\r\n"
        try:
            self.wfile.write(head.encode() + (answer or b""))
        except OSError:
            self.close_connection = True

    def _asked(self, body: bytes) -> bytes | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.extender_port, timeout=5)
        try:
            connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        except OSError:
            return None
        finally:
            connection.close()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""
