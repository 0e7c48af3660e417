"""`plainsail fit org/name --hub` against a hub of the test's own, on loopback."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override

from cli import __main__ as command
from tests.cli.running import LLAMA_3_8B

SHA = "0123456789abcdef0123456789abcdef01234567"
PAGES = {
    "/api/models/org/name?blobs=true": {
        "sha": SHA,
        "siblings": [
            {"rfilename": "model.safetensors", "size": 16060522496},
            {"rfilename": "README.md", "size": 1000},
        ],
    },
    f"/org/name/resolve/{SHA}/config.json": LLAMA_3_8B,
}


class Hub(BaseHTTPRequestHandler):
    """Gives its pages to those who bring the token."""

    pages: Mapping[str, object] = PAGES
    breaks_off = False
    """Each answer ends within a chunk of it."""

    def do_GET(self) -> None:
        is_known = self.path in self.pages
        is_allowed = self.headers["Authorization"] == "Bearer secret"
        self.send_response(401 if not is_allowed else 200 if is_known else 404)
        if self.breaks_off:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.breaks_off:
            self.wfile.write(b"ff\r\n{")
        elif is_known and is_allowed:
            self.wfile.write(json.dumps(self.pages[self.path]).encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("HF_ENDPOINT", url)
        monkeypatch.setenv("HF_TOKEN", "secret")
        yield url
        server.shutdown()


@pytest.mark.usefixtures("endpoint")
def test_a_model_of_the_hub_is_sized_by_its_config_and_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = ["fit", "org/name", "--hub", "--instance-type", "Standard_NC24ads_A100_v4"]
    assert command.main(flags) == 0
    out = capsys.readouterr().out
    assert "name on Standard_NC24ads_A100_v4" in out
    assert "14.96 GiB" in out
    assert "8,192 tokens" in out


def test_a_model_that_is_not_there_is_told_with_its_address(
    endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["fit", "org/other", "--hub"]) == 1
    assert capsys.readouterr().err == (
        f"error: {endpoint}/api/models/org/other?blobs=true: 404 Not Found\n"
        "  hint: check the name; a gated model needs a token in HF_TOKEN\n"
    )


def test_a_refused_token_is_never_shown(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", "wrong-token")
    assert command.main(["fit", "org/name", "--hub"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {endpoint}/api/models/org/name?blobs=true: 401")
    assert "wrong-token" not in said


def test_without_a_network_it_says_what_else_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert command.main(["fit", "org/name", "--hub"]) == 1
    assert "hint: check the network, or give --config FILE" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["huggingface.co", "127.0.0.1:9", "http://[::1", "ftp://hub"])
def test_an_endpoint_that_is_no_address_is_told(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    assert command.main(["fit", "org/name", "--hub"]) == 1
    assert capsys.readouterr().err == (
        f"error: HF_ENDPOINT is no http or https address: {address}\n"
        "  hint: such as https://huggingface.co, which is taken where it is not set\n"
    )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"siblings": []}, "names no commit (sha)"),
        ({"sha": None, "siblings": []}, "names no commit (sha)"),
        ({"sha": SHA}, "lists no files (siblings)"),
        ({"sha": SHA, "siblings": None}, "lists no files (siblings)"),
        ({"sha": SHA, "siblings": [{"size": 5}]}, "lists no files (siblings)"),
        ({"sha": SHA, "siblings": [{"rfilename": []}]}, "lists no files (siblings)"),
        ({"sha": SHA, "siblings": [{"rfilename": "a", "size": "5"}]}, "lists no files (siblings)"),
        ({"sha": SHA, "siblings": ["model.safetensors"]}, "lists no files (siblings)"),
        ([], "not an object"),
    ],
)
def test_an_answer_that_is_not_a_hubs_is_told(
    answer: object,
    why: str,
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Hub, "pages", {"/api/models/org/name?blobs=true": answer})
    assert command.main(["fit", "org/name", "--hub"]) == 1
    assert capsys.readouterr().err == (
        f"error: {endpoint}/api/models/org/name?blobs=true: {why}\n  hint: check HF_ENDPOINT\n"
    )


def test_an_answer_that_breaks_off_is_told(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Hub, "breaks_off", True)
    assert command.main(["fit", "org/name", "--hub"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {endpoint}/api/models/org/name?blobs=true: IncompleteRead(")
    assert "hint: check the network, or give --config FILE" in said
