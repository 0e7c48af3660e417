"""The HTTP edge: path x method x body whole, in parts, too large, wrong, late."""

import asyncio
import logging
from collections.abc import MutableMapping
from typing import Any

import pytest

from presets import catalog
from tests import builders
from tests.webhook import asgi
from webhook import admit, app
from webhook.terms import Terms

TINY = builders.deployment().preset().build()


@pytest.fixture
def served() -> app.App:
    return app.App(Terms(catalog.load()))


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_ok(served: app.App, path: str) -> None:
    assert asgi.call(served, "GET", path) == asgi.Answer(
        200, b"ok\n", {b"content-type": b"text/plain; charset=utf-8", b"content-length": b"3"}
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/mutate/", 404),
        ("POST", "/healthz", 405),
        ("GET", "/mutate", 405),
        ("PUT", "/mutate", 405),
    ],
)
def test_what_is_not_served_gets_a_status_and_never_a_redirect(
    served: app.App, method: str, path: str, status: int
) -> None:
    answer = asgi.call(served, method, path, asgi.review(TINY))
    assert answer.status == status
    assert b"location" not in answer.headers


def test_a_body_in_parts_is_one_body(served: app.App) -> None:
    body = asgi.review(TINY)
    answer = asgi.call(served, "POST", "/mutate", body[:100], body[100:200], body[200:])
    assert answer == asgi.call(served, "POST", "/mutate", body)
    assert answer.status == 200


def test_a_body_announced_too_large_is_refused_unread(served: app.App) -> None:
    headers = {b"content-length": str(app.MAX_BODY_BYTES + 1).encode()}
    assert asgi.call(served, "POST", "/mutate", headers=headers).status == 413


def test_a_body_that_grows_too_large_is_refused(served: app.App) -> None:
    chunks = [b" " * 2**20] * 9
    assert asgi.call(served, "POST", "/mutate", *chunks).status == 413


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 10_000, b"null", b"3"])
def test_nonsense_is_the_clients_fault(served: app.App, body: bytes) -> None:
    answer = asgi.call(served, "POST", "/mutate", body)
    assert answer.status == 400
    assert b"Traceback" not in answer.body
    assert answer.body.count(b"\n") == 1


def test_a_client_that_goes_before_its_body_is_there_is_told_apart(served: app.App) -> None:
    async def run() -> int:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/mutate", "headers": []}
        await served(scope, receive, send)
        status: int = sent[0]["status"]
        return status

    assert asyncio.run(run()) == 400


def test_our_own_bug_is_logged_and_not_shown(
    served: app.App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> admit.Decision:
        raise KeyError("inside")

    monkeypatch.setattr(admit, "admit", broken)
    answer = asgi.call(served, "POST", "/mutate", asgi.review(TINY))
    assert (answer.status, answer.body) == (500, b"internal error\n")
    assert "KeyError" in caplog.text


def test_a_denial_is_logged_with_object_and_reasons_and_nothing_else(
    served: app.App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    workload = builders.deployment().preset("no-such").container("m", command=["secret"]).build()
    asgi.mutate(served, workload)
    assert caplog.messages == ["event=denied object=Deployment/default/chat reasons=UnknownPreset"]


def test_an_object_that_nothing_happens_to_is_not_logged(
    served: app.App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asgi.mutate(served, builders.deployment().build())
    assert caplog.messages == []


def test_a_name_cannot_forge_a_line_of_the_log(
    served: app.App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    body = asgi.review(TINY).replace(b'"name":"chat","op', rb'"name":"a\nevent=x y","op')
    assert asgi.call(served, "POST", "/mutate", body).status == 200
    assert caplog.messages == [
        r'event=allowed object="Deployment/default/a\nevent=x y" reasons=Expanded'
    ]


def test_answers_are_counted_by_outcome_and_reason(served: app.App) -> None:
    asgi.mutate(served, TINY)
    asgi.mutate(served, builders.deployment().preset("no-such").build())
    asgi.mutate(served, builders.deployment().build())
    asgi.call(served, "POST", "/mutate", b"{")
    text = asgi.call(served, "GET", "/metrics").body.decode()
    name = "plainsail_webhook_requests_total"
    assert f'{name}{{outcome="allowed",reason="Expanded"}} 1\n' in text
    assert f'{name}{{outcome="denied",reason="UnknownPreset"}} 1\n' in text
    assert f'{name}{{outcome="skipped",reason="NotLabelled"}} 1\n' in text
    assert f'{name}{{outcome="refused",reason="400"}} 1\n' in text
    assert 'plainsail_webhook_request_seconds_bucket{le="+Inf"} 3\n' in text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_head_is_get_without_the_body(served: app.App, path: str) -> None:
    got, head = (asgi.call(served, method, path) for method in ("GET", "HEAD"))
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


def test_a_wrong_method_is_told_the_right_one(served: app.App) -> None:
    assert asgi.call(served, "GET", "/mutate").headers[b"allow"] == b"POST"
    assert asgi.call(served, "POST", "/readyz").headers[b"allow"] == b"GET, HEAD"


def test_draining_it_is_alive_and_not_ready_and_still_answers(served: app.App) -> None:
    """Each answer ends its connection, so that the next one goes to another replica."""
    served.drain()
    ready, alive = (asgi.call(served, "GET", path) for path in ("/readyz", "/healthz"))
    answer = asgi.call(served, "POST", "/mutate", asgi.review(TINY))
    assert (ready.status, alive.status, answer.status) == (503, 200, 200)
    assert ready.body == b"draining\n"
    assert all(one.headers[b"connection"] == b"close" for one in (ready, alive, answer))


def test_large_bodies_that_arrive_together_share_one_limit(
    served: app.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is given up is given back: afterwards there is room again."""
    monkeypatch.setattr(app, "MAX_PENDING_BYTES", 1000)
    for _ in range(2):
        assert asgi.call(served, "POST", "/mutate", b" " * 600, b" " * 600).status == 503
        body = asgi.review(TINY)
        assert asgi.call(served, "POST", "/mutate", body[:500], body[500:]).status == 200
