"""The OpenAI surface, whole and streamed."""

from typing import Any

import orjson
from starlette import testclient

from runtime import sampling
from tests.runtime import scripted

MESSAGES = [{"role": "user", "content": "hi"}]


def ask(client: testclient.TestClient, **fields: Any) -> Any:
    return client.post("/v1/chat/completions", json={"messages": MESSAGES, **fields})


def test_a_completion_is_whole(client: testclient.TestClient, model: scripted.Scripted) -> None:
    answer = ask(client, model="tiny", user="somebody").json()
    assert answer.pop("id").startswith("chatcmpl-")
    assert answer == {
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "tiny",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello."},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 19, "completion_tokens": 7, "total_tokens": 26},
    }
    assert model.asked[0][0] == "<user>hi<assistant>"


def test_the_model_list_holds_the_served_name(client: testclient.TestClient) -> None:
    (entry,) = client.get("/v1/models").json()["data"]
    assert (entry["id"], entry["object"], entry["max_model_len"]) == ("tiny", "model", 1000)


def test_another_model_is_not_found(client: testclient.TestClient) -> None:
    refused = ask(client, model="gpt-4")
    assert refused.status_code == 404
    assert refused.json()["error"] == {
        "message": "model: 'gpt-4' is not served here; this is 'tiny'",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_sampling_reaches_the_model(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    ask(client, temperature=0.5, top_p=0.9, top_k=4, seed=3, stop=["z"], max_tokens=5)
    assert model.asked[0][1] == sampling.Sampling(
        max_tokens=5, temperature=0.5, top_p=0.9, top_k=4, seed=3, stop=("z",)
    )


def test_without_wishes_openais_defaults_hold(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    ask(client)
    assert model.asked[0][1] == sampling.Sampling(max_tokens=1000 - 19, temperature=1.0)


def test_a_limit_ends_with_length_and_never_passes_the_context(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    answer = ask(client, max_completion_tokens=2, max_tokens=4).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["choices"][0]["message"]["content"] == "He"
    ask(client, max_tokens=100_000)
    assert model.asked[1][1].max_tokens == 1000 - 19


def test_a_prompt_longer_than_the_context_is_refused(client: testclient.TestClient) -> None:
    refused = ask(client, messages=[{"role": "user", "content": "x" * 1000}])
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["code"], error["param"]) == ("context_length_exceeded", "messages")
    assert "1017 tokens" in error["message"]


def events(text: str) -> list[Any]:
    blocks = text.split("\n\n")
    assert blocks.pop() == ""
    assert blocks.pop() == "data: [DONE]"
    return [orjson.loads(block.removeprefix("data: ")) for block in blocks]


def test_a_stream_joined_is_the_answer_and_ends_with_done(client: testclient.TestClient) -> None:
    answer = ask(client, stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, *middle, last, usage = events(answer.text)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(e["choices"][0]["delta"]["content"] for e in middle) == "Hello."
    assert (last["choices"][0]["delta"], last["choices"][0]["finish_reason"]) == ({}, "stop")
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 26)
    assert {e["id"] for e in middle} == {first["id"]}


def test_a_stream_has_no_usage_unless_asked(client: testclient.TestClient) -> None:
    assert all("usage" not in e for e in events(ask(client, stream=True).text))


def test_a_failure_within_a_stream_is_told_in_it(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    model.broken = RuntimeError("out of memory")
    answer = ask(client, stream=True)
    assert events(answer.text)[-1]["error"]["type"] == "server_error"
