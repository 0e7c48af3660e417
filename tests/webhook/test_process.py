"""`python -m webhook serve` as a process: TLS, kept connections, the end on SIGTERM, bad starts."""

import contextlib
import errno
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import uvicorn

from presets import catalog
from telemetry import logs
from tests import builders, programs
from tests.webhook import asgi, serving
from webhook import __main__ as main
from webhook import app, protocol
from webhook.terms import Terms

pytestmark = pytest.mark.slow  # mostly waits: over five seconds in all


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> serving.Pems:
    return serving.pems(tmp_path_factory.mktemp("tls"))


def test_one_kept_connection_serves_many_and_sigterm_ends_cleanly(pems: serving.Pems) -> None:
    trust = ssl.create_default_context(cafile=str(pems.certificate))
    body = asgi.review(builders.deployment().preset().build())
    with serving.running(pems) as (process, port):
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust) as client:
            answers = [client.post("/mutate?timeout=5s", content=body) for _ in range(3)]
            assert client.get("/readyz").text == "ok\n"
            assert "Expanded" in client.get("/metrics").text
            process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json()["response"]["patchType"] == "JSONPatch"


@pytest.fixture(scope="module")
def serving_port(pems: serving.Pems) -> Iterator[int]:
    with serving.running(pems) as (_, port):
        yield port


def connect(pems: serving.Pems, port: int) -> ssl.SSLSocket:
    trust = ssl.create_default_context(cafile=str(pems.certificate))
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    return trust.wrap_socket(plain, server_hostname="127.0.0.1")


def received(connection: ssl.SSLSocket) -> bytes:
    """Everything until the server ends the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while part := connection.recv(2**16):
            parts.append(part)
    return b"".join(parts)


def test_told_to_end_it_is_not_ready_and_serves_on_for_a_while(pems: serving.Pems) -> None:
    trust = ssl.create_default_context(cafile=str(pems.certificate))
    url = "https://127.0.0.1:"
    with serving.running(pems) as (process, port), httpx.Client(verify=trust) as client:
        assert client.get(f"{url}{port}/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 5
        while (answer := client.get(f"{url}{port}/readyz")).status_code == 200:
            assert time.monotonic() < deadline
        assert (answer.status_code, answer.headers["connection"]) == (503, "close")
        body = asgi.review(builders.deployment().preset().build())
        assert client.post(f"{url}{port}/mutate", content=body).status_code == 200
        assert process.wait(5) == 0


def test_a_second_signal_ends_it_at_once() -> None:
    """While the first lets it serve on for a while."""
    served = app.App(Terms(catalog.Catalog([])))
    server = main._Server(uvicorn.Config(served), served)
    server.handle_exit(signal.SIGTERM, None)
    assert not server.should_exit
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit


def test_two_signals_end_it_as_cleanly_as_one(pems: serving.Pems) -> None:
    with serving.running(pems) as (process, port):
        connect(pems, port).close()  # it serves: a signal no longer ends the start
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        assert process.wait(20) == 0


def test_a_head_without_end_ends_the_connection(pems: serving.Pems, serving_port: int) -> None:
    with connect(pems, serving_port) as connection:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            connection.sendall(b"GET /healthz HTTP/1.1\r\n")
            for _ in range(100):
                connection.sendall(b"x: " + b"y" * 4096 + b"\r\n")
        assert received(connection) == b""


@pytest.mark.parametrize(
    "begun", [b"GET /healthz HT", b"POST /mutate HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"]
)
def test_a_request_that_does_not_come_whole_is_given_up(
    begun: bytes, pems: serving.Pems, serving_port: int
) -> None:
    """Head or body: it is told why, and the connection ends; others are answered meanwhile."""
    with connect(pems, serving_port) as connection, connect(pems, serving_port) as other:
        connection.sendall(begun)
        other.sendall(b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert received(other).startswith(b"HTTP/1.1 200 ")
        assert received(connection).startswith(b"HTTP/1.1 408 ")


def test_a_body_in_two_pieces_is_one_request(pems: serving.Pems, serving_port: int) -> None:
    """What was late and came ends no later request on the connection."""
    with connect(pems, serving_port) as connection:
        connection.sendall(b"POST /mutate HTTP/1.1\r\ncontent-length: 2\r\n\r\n{")
        time.sleep(0.2)
        connection.sendall(b"}")
        assert connection.recv(2**16).startswith(b"HTTP/1.1 400 ")
        time.sleep(protocol.REQUEST_SECONDS)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 200 ")


def test_what_is_not_http_gets_a_400(pems: serving.Pems, serving_port: int) -> None:
    with connect(pems, serving_port) as connection:
        connection.sendall(b"\x00\xff\x00\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 400 ")


def test_requests_in_one_piece_are_answered_in_order(pems: serving.Pems, serving_port: int) -> None:
    with connect(pems, serving_port) as connection:
        connection.sendall(
            b"GET /healthz HTTP/1.1\r\n\r\nHEAD /metrics HTTP/1.1\r\n\r\n"
            b"GET /no HTTP/1.1\r\nconnection: close\r\n\r\n"
        )
        answers = received(connection)
    assert answers.startswith(b"HTTP/1.1 200 OK")
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.count(b"HTTP/1.1 404 ") == 1


@pytest.mark.slow
def test_memory_is_flat_over_many_requests(pems: serving.Pems) -> None:
    """Denied, expanded, skipped and refused in turn, each for another name."""
    workloads = (
        builders.deployment("chat-00000").preset().build(),
        builders.deployment("chat-00000").preset("chat-00000").build(),
        builders.deployment("chat-00000").build(),
    )
    bodies = [asgi.review(workload) for workload in workloads] + [b"{"]
    trust = ssl.create_default_context(cafile=str(pems.certificate))
    with serving.running(pems) as (process, port):
        assert process.stderr is not None
        threading.Thread(target=process.stderr.read, daemon=True).start()
        resident = psutil.Process(process.pid).memory_info
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust) as client:
            answered = set()
            for number in range(12_000):
                if number == 6000:  # and every decision that is kept has taken another's place
                    before = resident().rss
                name = f"chat-{number:05}".encode()
                body = bodies[number % 4].replace(b"chat-00000", name)
                answered.add((number % 4, client.post("/mutate", content=body).status_code))
        assert resident().rss - before < 2**20
    assert answered == {(0, 200), (1, 200), (2, 200), (3, 400)}


def failed(*flags: str) -> str:
    return programs.refused("webhook", "serve", "--host=127.0.0.1", *flags)


def test_a_port_in_use_is_one_clear_message(pems: serving.Pems) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failed(f"--port={port}", *pems.flags)
    assert said == (
        f"error: --host 127.0.0.1, --port {port}: Address already in use\n"
        "  hint: choose another port, or end the process that holds this one\n"
    )


def test_a_key_that_is_none_is_one_clear_message(pems: serving.Pems) -> None:
    said = failed("--port=0", f"--tls-cert={pems.certificate}", f"--tls-key={pems.certificate}")
    assert said.startswith(f"error: --tls-cert {pems.certificate}, --tls-key {pems.certificate}: ")
    assert "Traceback" not in said


def test_a_key_that_cannot_be_read_is_one_clear_message(
    pems: serving.Pems,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever runs the tests; they may run as root, who may read everything."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", refuse)
    monkeypatch.setattr(logs, "configure", lambda: None)
    assert main.main(["serve", "--port=0", *pems.flags]) == 1
    assert capsys.readouterr().err == (
        f"error: --tls-cert {pems.certificate}, --tls-key {pems.key}: Permission denied\n"
        "  hint: let the user that the webhook runs as read both\n"
    )


def test_presets_that_are_malformed_are_all_named_before_it_serves(
    pems: serving.Pems, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("family: mine\npresets: [{name: a, licence: MIT}]\n")
    said = failed("--port=0", f"--presets={tmp_path}", *pems.flags)
    assert said.startswith(f"error: --presets {tmp_path}: mine.yaml: presets[0].")
    assert said.count("is missing (MalformedPreset)") > 1
    assert "Traceback" not in said
