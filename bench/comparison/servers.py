"""A server as a process of its own, behind TLS, and one kept connection to it."""

import contextlib
import datetime as dt
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from certs import keys

HOST = "127.0.0.1"
_LIFETIME = dt.timedelta(hours=6)
_CHUNK = 2**16


@dataclass(frozen=True)
class Pems:
    """Files of a leaf for the loopback, and the CA to trust."""

    certificate: Path
    key: Path
    authority: bytes

    @property
    def trust(self) -> ssl.SSLContext:
        """A context that believes the leaf."""
        return ssl.create_default_context(cadata=self.authority.decode())


@contextlib.contextmanager
def pems() -> Iterator[Pems]:
    """Certificates that live as long as the block."""
    now = dt.datetime.now(dt.UTC)
    authority = keys.new_authority("bench", now=now)
    leaf = authority.issue("webhook", now=now, hosts=(HOST,), lifetime=_LIFETIME)
    with tempfile.TemporaryDirectory() as directory:
        made = Pems(Path(directory, "crt"), Path(directory, "key"), authority.certificate_pem)
        made.certificate.write_bytes(leaf.certificate_pem)
        made.key.write_bytes(leaf.key_pem)
        yield made


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: psutil.Process
    port: int

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far; in steps of 10 ms."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def resident_mib(self) -> float:
        """Memory that it holds."""
        return float(self.process.memory_info().rss) / 2**20


@contextlib.contextmanager
def webhook(made: Pems) -> Iterator[Server]:
    """Our own server, as it runs in a cluster."""
    flags = (f"--host={HOST}", "--port=0")
    with _running(
        "webhook", "serve", *flags, f"--tls-cert={made.certificate}", f"--tls-key={made.key}"
    ) as server:
        yield server


@contextlib.contextmanager
def comparison(made: Pems) -> Iterator[Server]:
    """The comparison."""
    with _running("bench.comparison", str(made.certificate), str(made.key)) as server:
        yield server


@contextlib.contextmanager
def _running(module: str, *argv: str) -> Iterator[Server]:
    command = [sys.executable, "-m", module, *argv]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            if "port=" not in line:
                raise RuntimeError(f"{module} did not start: {line}{process.stderr.read()}")
            # Its log is read, so that it pays for writing and never waits for us.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Server(psutil.Process(process.pid), int(line.rpartition("port=")[2]))
        finally:
            process.kill()


class Connection:
    """One kept HTTP/1.1 connection; as bare as can be, for it shares the machine."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        plain = socket.create_connection((HOST, port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = trust.wrap_socket(plain, server_hostname=HOST)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to a review."""
        self._socket.sendall(request("/mutate?timeout=5s", body))
        answer = self._socket.recv(_CHUNK)
        while not _is_whole(answer):
            more = self._socket.recv(_CHUNK)
            if not more:
                raise ConnectionError("the server went away")
            answer += more
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head[9:12]), content


def request(path: str, body: bytes) -> bytes:
    """A POST of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json, */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _is_whole(answer: bytes) -> bool:
    """An answer with a Content-Length has all of its body."""
    head, found, content = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(content) >= int(length)
