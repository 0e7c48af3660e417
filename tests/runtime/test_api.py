"""Routes, health and failures: every request gets an answer of its surface's shape."""

import asyncio
import threading
from typing import Any

import orjson
import pytest
from starlette import testclient

from runtime import api, engine, health, service
from tests.runtime import scripted

MESSAGES = [{"role": "user", "content": "hi"}]


def test_the_root_answers_as_kaito(client: testclient.TestClient) -> None:
    assert client.get("/").json() == {"message": "Server is running"}


@pytest.mark.parametrize("path", ["/health", "/healthz"])
def test_a_server_that_answers_is_healthy(client: testclient.TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "Healthy"})


def test_while_the_model_loads_the_server_lives_but_is_not_ready() -> None:
    loading = threading.Event()

    def load() -> engine.Model:
        loading.wait(10)
        return scripted.Scripted()

    state = health.Health()
    running = engine.Engine(load, state, waiting_limit=1)
    parts = service.Service(running, state, "tiny", 1000, now=lambda: 0.0)
    running.start()
    with testclient.TestClient(api.build(parts)) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/health")
        assert (ready.status_code, ready.json()["phase"]) == (503, "loading")
        for path in ("/chat", "/v1/chat/completions"):
            refused = client.post(path, json={"prompt": "hi"})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert client.get("/v1/models").json()["error"]["code"] == "model_not_ready"
        loading.set()
        for _ in range(500):
            if client.get("/health").status_code == 200:
                break
        assert client.post("/chat", json={"prompt": "hi"}).status_code == 200
    assert running.stop(5)


def test_an_unknown_path_is_refused_in_the_shape_of_its_surface(
    client: testclient.TestClient,
) -> None:
    assert client.get("/nowhere").json() == {"detail": "GET /nowhere: Not Found"}
    assert client.post("/v1/nowhere").json()["error"]["message"] == "POST /v1/nowhere: Not Found"
    refused = client.get("/chat")
    assert (refused.status_code, refused.json()) == (
        405,
        {"detail": "GET /chat: Method Not Allowed"},
    )


def test_a_body_over_the_limit_is_refused(client: testclient.TestClient) -> None:
    refused = client.post("/chat", content=b"x" * 10_001)
    assert (refused.status_code, refused.json()) == (
        413,
        {"detail": "the body is longer than 10000 bytes"},
    )


def test_a_full_queue_is_told_when_to_come_back(model: scripted.Scripted) -> None:
    parts = scripted.serving(model, waiting_limit=1)
    model.go.clear()
    body = {"prompt": "hi"}
    with testclient.TestClient(api.build(parts)) as client:
        held = [threading.Thread(target=client.post, args=("/chat",), kwargs={"json": body})]
        held[0].start()
        assert model.began.wait(5)
        held.append(threading.Thread(target=client.post, args=("/chat",), kwargs={"json": body}))
        held[1].start()
        for _ in range(1000):
            if parts.running.waiting:
                break
            threading.Event().wait(0.002)
        for path, asked in [("/chat", body), ("/v1/chat/completions", {"messages": MESSAGES})]:
            refused = client.post(path, json=asked)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) >= 1
        model.go.set()
        for thread in held:
            thread.join(5)
    assert parts.running.stop(5)


def test_four_at_once_are_all_answered(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    answers: list[Any] = []

    def ask(number: int) -> None:
        body = {"prompt": str(number), "return_full_text": False}
        answers.append(client.post("/chat", json=body).json())

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [{"Result": "Hello."}] * 4
    assert sorted(text[len("<user>")] for text, _ in model.asked) == list("0123")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_frees_the_engine(
    served: service.Service, model: scripted.Scripted, *, stream: bool
) -> None:
    model.says = "x" * 500
    model.go.clear()
    body = orjson.dumps({"messages": MESSAGES, "stream": stream})
    asyncio.run(_ask_and_leave(served, model, body))
    model.go.set()
    for _ in range(1000):
        if served.running.model is model and model.produced and not served.running.waiting:
            break
        threading.Event().wait(0.002)
    with testclient.TestClient(api.build(served)) as client:
        model.says = "Hello."
        assert client.post("/chat", json={"prompt": "hi"}).status_code == 200
    assert model.produced <= 2 + len("Hello.") + 1


async def _ask_and_leave(served: service.Service, model: scripted.Scripted, body: bytes) -> None:
    """Send a request, and close the connection once the model has begun on it."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if pending:
            return pending.pop()
        await asyncio.to_thread(model.began.wait, 5)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        del message

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/chat/completions",
        "raw_path": b"/v1/chat/completions",
        "query_string": b"",
        "headers": [],
    }
    await asyncio.wait_for(api.build(served)(scope, receive, send), 10)


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
def test_a_failure_of_ours_shows_no_traceback(
    client: testclient.TestClient,
    model: scripted.Scripted,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    body = {"messages": [{"role": "user", "content": "secret words"}]}
    model.broken = ZeroDivisionError("inside the model")
    in_engine = client.post(path, json=body)
    monkeypatch.delattr(model, "tokenizer")
    at_the_edge = client.post(path, json=body)
    for refused in (in_engine, at_the_edge):
        assert refused.status_code == 500
        assert "Error" not in refused.text
        assert "Traceback" not in refused.text
    assert "inside the model" in caplog.text
    assert "event=request_failed path=" + path in caplog.text
    assert "secret" not in caplog.text
