"""What reaches the port that is no review, and what the process may not need: over real TLS.

Bodies truncated, deep, huge, of the wrong kind, not UTF-8, with bytes turned at random; the length
announced, lied about, or never ending. Of each: a status, one line, and the process as it was.
"""

import contextlib
import random
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests import builders
from tests.webhook import asgi, cluster
from webhook import app

MIB = 2**20

GROWTH_BYTES = 64 * MIB
"""Memory that the worst body may cost: the body itself, and what JSON of that size becomes."""

REVIEW = asgi.review(builders.deployment().preset().build())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[cluster.Webhook]:
    """The program without a kubeconfig, a home, or any word of a cluster."""
    directory = tmp_path_factory.mktemp("webhook")
    made = cluster.Webhook(directory, {"HOME": str(directory / "none"), "PATH": ""})
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def client(served: cluster.Webhook) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=str(served.pems.certificate))
    with httpx.Client(base_url=served.address, verify=trust, trust_env=False) as made:
        yield made


def process(served: cluster.Webhook) -> psutil.Process:
    assert served.process is not None
    return psutil.Process(served.process.pid)


def peak_bytes(served: cluster.Webhook) -> int:
    """The most memory that the process ever held (VmHWM of Linux), in bytes."""
    status = Path(f"/proc/{process(served).pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def assert_is_refused(answer: httpx.Response, *statuses: int) -> None:
    """A status of the client's fault and one line, which shows nothing of ours or of the body."""
    assert answer.status_code in statuses, answer.text
    assert answer.text.count("\n") == 1
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
        REVIEW[: len(REVIEW) // 2],
        REVIEW.replace(b"admission.k8s.io/v1", b"admission.k8s.io/v9"),
        REVIEW.replace(b"someone", b"some\xffone"),
        b"[" * MIB,
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    ],
    ids=lambda body: f"{len(body)} bytes of {body[:12]!r}",
)
def test_what_is_no_review_is_the_clients_fault(client: httpx.Client, body: bytes) -> None:
    """W15."""
    assert_is_refused(client.post("/mutate", content=body), 400)


@pytest.mark.slow
def test_a_body_beyond_the_cap_costs_no_memory(
    served: cluster.Webhook, client: httpx.Client
) -> None:
    """W15: announced too large, or sent in parts without end."""
    before = peak_bytes(served)
    assert_is_refused(client.post("/mutate", content=b" " * (app.MAX_BODY_BYTES + 1)), 413)

    def endless() -> Iterator[bytes]:
        for _ in range(256):
            yield b" " * MIB

    # The server answers and closes while the client is still sending, which may end in either.
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):
        assert_is_refused(client.post("/mutate", content=endless()), 413)
    assert peak_bytes(served) - before < GROWTH_BYTES
    assert client.get("/readyz").text == "ok\n"


@pytest.mark.slow
def test_the_largest_body_that_is_read_costs_bounded_memory(
    served: cluster.Webhook, client: httpx.Client
) -> None:
    """W15: 8 MiB of the smallest values there are, as an object that is none of ours."""
    before = peak_bytes(served)
    workload = builders.deployment().build()
    empty = len(asgi.review({**workload, "data": []}))
    workload["data"] = [0] * ((app.MAX_BODY_BYTES - empty) // 2)
    body = asgi.review(workload)
    assert app.MAX_BODY_BYTES - 2 * MIB < len(body) <= app.MAX_BODY_BYTES
    for _ in range(3):
        answer = client.post("/mutate", content=body, timeout=30)
        assert answer.json()["response"] == {
            "uid": answer.json()["response"]["uid"],
            "allowed": True,
        }
    # A list of 4 M numbers is 32 MiB of references beside its text.
    assert peak_bytes(served) - before < 2 * GROWTH_BYTES


@pytest.mark.parametrize("kind", ["Pod", "Service", "ReplicaSet", "", None, 3, [], {}])
def test_another_kind_is_let_pass_or_denied(client: httpx.Client, kind: object) -> None:
    """W15."""
    body = asgi.review({**builders.deployment().preset().build(), "kind": kind})
    answer = client.post("/mutate", content=body)
    assert answer.status_code == 200
    assert "patch" not in answer.json()["response"]


def test_a_review_with_any_bytes_turned_gets_an_answer(
    served: cluster.Webhook, client: httpx.Client
) -> None:
    """W15: 300 of them; a review, or the client's fault, and never a failure of ours."""
    draw = random.Random(15)
    for _ in range(300):
        body = bytearray(REVIEW)
        for _ in range(draw.randint(1, 8)):
            body[draw.randrange(len(body))] = draw.choice(b'{}[]",:0a\x00\xff')
        answer = client.post("/mutate", content=bytes(body))
        if answer.status_code == 200:
            assert isinstance(answer.json()["response"]["allowed"], bool)
        else:
            assert_is_refused(answer, 400)
    assert "event=failed" not in served.log.read_text()


def test_a_body_that_does_not_come_holds_up_nobody(
    served: cluster.Webhook, client: httpx.Client
) -> None:
    """W15: announced and not sent; that it is given up after a while is shown in test_app.py."""
    trust = ssl.create_default_context(cafile=str(served.pems.certificate))
    with (
        socket.create_connection(("127.0.0.1", served.port)) as plain,
        trust.wrap_socket(plain, server_hostname="127.0.0.1") as held,
    ):
        held.sendall(b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n{")
        assert client.post("/mutate", content=REVIEW).status_code == 200


def test_a_decision_needs_nothing_but_the_request(
    served: cluster.Webhook, client: httpx.Client
) -> None:
    """W24: no kubeconfig, no home, no environment; it is called and calls nobody."""
    for preset, is_allowed in (("tiny-chat", True), ("no-such", False)):
        body = asgi.review(builders.deployment().preset(preset).build())
        answer = client.post("/mutate", content=body).json()["response"]
        assert answer["allowed"] == is_allowed
        # Told apart by the port at our end: whatever we had opened would have another.
        open_now = process(served).net_connections()
        assert open_now
        assert {connection.laddr.port for connection in open_now} == {served.port}
