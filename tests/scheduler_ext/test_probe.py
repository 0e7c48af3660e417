"""What the kubelet runs in the extender's container."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from scheduler_ext import probe


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/broken":
            self.wfile.write(b"not HTTP\r\n\r\n")
            return
        is_well = self.path == "/healthz"
        text = b"ok\n" if is_well else b"not yet read: pods\n"
        self.send_response(200 if is_well else 503)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that is alive and not ready."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/healthz", 0, ""),
        ("/readyz", 1, "/readyz: 503 not yet read: pods\n"),
        ("/broken", 1, "/broken: no answer: BadStatusLine('not HTTP"),
    ],
)
def test_the_exit_status_says_whether_it_is_well(
    port: int, capsys: pytest.CaptureFixture[str], path: str, status: int, told: str
) -> None:
    assert probe.main([str(port), path]) == status
    out = capsys.readouterr().out
    assert out.startswith(told)
    assert bool(out) == bool(told)


def test_without_an_extender_it_fails(
    port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a pod whose environment names a proxy for everything."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    assert probe.main(["1", "/healthz"]) == 1
    assert "no answer: ConnectionRefusedError" in capsys.readouterr().out
