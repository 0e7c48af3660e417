"""`python -m webhook serve` as a process: TLS, kept connections, the end on SIGTERM, bad starts."""

import signal
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from tests import builders
from tests.webhook import asgi, serving


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


def failed(*flags: str) -> str:
    process = serving.start(*flags)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 1, said
    return said


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


def test_presets_that_are_malformed_are_all_named_before_it_serves(
    pems: serving.Pems, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("family: mine\npresets: [{name: a, licence: MIT}]\n")
    said = failed("--port=0", f"--presets={tmp_path}", *pems.flags)
    assert said.startswith(f"error: --presets {tmp_path}: mine.yaml: presets[0].")
    assert said.count("is missing (MalformedPreset)") > 1
    assert "Traceback" not in said
