"""`python -m webhook serve` as a process: TLS, kept connections, the end on SIGTERM, bad starts."""

import datetime
import ipaddress
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests import builders
from tests.webhook import asgi


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "webhook")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = directory / "tls.crt", directory / "tls.key"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


def start(*flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "webhook", "serve", "--host=127.0.0.1", *flags],
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def running(pems: tuple[Path, Path]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port."""
    with start("--port=0", f"--tls-cert={pems[0]}", f"--tls-key={pems[1]}") as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "event=serving" in line, line
        yield process, int(line.rpartition("port=")[2])
        process.kill()


def test_one_kept_connection_serves_many_and_sigterm_ends_cleanly(
    running: tuple[subprocess.Popen[str], int], pems: tuple[Path, Path]
) -> None:
    process, port = running
    trust = ssl.create_default_context(cafile=str(pems[0]))
    body = asgi.review(builders.deployment().preset().build())
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust) as client:
        answers = [client.post("/mutate?timeout=5s", content=body) for _ in range(3)]
        assert client.get("/readyz").text == "ok\n"
        assert "Expanded" in client.get("/metrics").text
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json()["response"]["patchType"] == "JSONPatch"
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def failed(*flags: str) -> str:
    process = start(*flags)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 1, said
    return said


def test_a_port_in_use_is_one_clear_message(pems: tuple[Path, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failed(f"--port={port}", f"--tls-cert={pems[0]}", f"--tls-key={pems[1]}")
    assert said == (
        f"error: --host 127.0.0.1, --port {port}: Address already in use\n"
        "  hint: choose another port, or end the process that holds this one\n"
    )


def test_a_key_that_is_none_is_one_clear_message(pems: tuple[Path, Path]) -> None:
    said = failed("--port=0", f"--tls-cert={pems[0]}", f"--tls-key={pems[0]}")
    assert said.startswith(f"error: --tls-cert {pems[0]}, --tls-key {pems[0]}: ")
    assert "Traceback" not in said
