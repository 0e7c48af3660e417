"""POST `/chat`: KAITO's contract, and where it is better."""

from typing import Any

import pytest
from starlette import testclient

from runtime import api, sampling
from tests.runtime import scripted

HI = [{"role": "user", "content": "hi"}]
LENGTH_TOO_SHORT = (
    "generate_kwargs.max_length: 19 leaves no room for an answer: it counts the prompt too,"
    " which has 19 tokens; give max_new_tokens instead"
)
TOO_LONG = "the prompt has 1017 tokens; this model's context holds 1000, prompt and answer together"


def ask(client: testclient.TestClient, **body: Any) -> Any:
    return client.post("/chat", json=body)


def test_the_answer_begins_with_the_prompt_unless_told_otherwise(
    client: testclient.TestClient,
) -> None:
    whole = {"Result": "hi\nHello."}
    assert ask(client, prompt="hi").json() == whole
    assert ask(client, prompt="hi", return_full_text=True).json() == whole
    assert ask(client, prompt="hi", return_full_text=False).json() == {"Result": "Hello."}


def test_a_chat_model_gets_the_prompt_through_its_template(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    ask(client, prompt="hi")
    assert model.asked[0][0] == "<user>hi<assistant>"


def test_a_base_model_continues_the_prompt() -> None:
    model = scripted.Scripted(" there.", template=False)
    parts = scripted.serving(model)
    with testclient.TestClient(api.build(parts)) as client:
        assert ask(client, prompt="hi").json() == {"Result": "hi there."}
    assert model.asked[0][0] == "hi"
    assert parts.running.stop(5)


def test_messages_get_the_next_turn(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    turns = [*HI, {"role": "assistant", "content": "yes?"}, {"role": "user", "content": "who?"}]
    assert ask(client, messages=turns).json() == {"Result": "Hello."}
    assert model.asked[0][0] == "<user>hi<assistant>yes?<user>who?<assistant>"


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "application/json", ""]
)
def test_the_body_is_json_whatever_its_content_type_says(
    client: testclient.TestClient, content_type: str
) -> None:
    answer = client.post(
        "/chat", content=b'{"prompt": "hi"}', headers={"content-type": content_type}
    )
    assert answer.json() == {"Result": "hi\nHello."}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "Text generation parameter prompt required"),
        ({"prompt": ""}, "Text generation parameter prompt required"),
        ({"messages": []}, "Conversational parameter messages required"),
        ({"prompt": "hi", "messages": HI}, "prompt and messages exclude each other: give one"),
        (
            {"messages": HI, "return_full_text": True},
            "return_full_text: true goes with prompt, not with messages",
        ),
        (
            {"prompt": "hi", "generate_kwargs": {"max_length": 19}},
            LENGTH_TOO_SHORT,
        ),
        (
            {"prompt": "x" * 1000},
            TOO_LONG,
        ),
    ],
)
def test_what_is_wrong_is_said(client: testclient.TestClient, body: Any, detail: str) -> None:
    refused = client.post("/chat", json=body)
    assert (refused.status_code, refused.json()) == (400, {"detail": detail})


def test_a_malformed_body_is_422_in_fastapis_shape(client: testclient.TestClient) -> None:
    refused = ask(client, prompt=5, generate_kwargs={"num_beams": 2})
    assert refused.status_code == 422
    assert [d["loc"] for d in refused.json()["detail"]] == [
        ["body", "generate_kwargs", "num_beams"],
        ["body", "prompt"],
    ]
    broken = client.post("/chat", content=b"{")
    assert (broken.status_code, broken.json()["detail"][0]["loc"]) == (422, ["body"])


@pytest.mark.parametrize(
    ("arguments", "tokens"),
    [
        pytest.param({}, 200, id="200 new tokens however long the prompt"),
        pytest.param({"max_length": 50}, 31, id="max_length counts the prompt"),
        pytest.param({"max_new_tokens": 5}, 5, id="max_new_tokens does not"),
        pytest.param({"max_length": 50, "max_new_tokens": 5}, 5, id="and wins"),
        pytest.param({"max_length": 5000}, 981, id="never past the context"),
    ],
)
def test_how_long_an_answer_may_be(
    client: testclient.TestClient,
    model: scripted.Scripted,
    arguments: dict[str, int],
    tokens: int,
) -> None:
    ask(client, prompt="hi", generate_kwargs=arguments)
    assert model.asked[0][1].max_tokens == tokens


def test_kaitos_sampling_holds_where_neither_request_nor_model_say(
    client: testclient.TestClient, model: scripted.Scripted
) -> None:
    ask(client, prompt="hi")
    model.wishes = sampling.Wishes(do_sample=False)
    ask(client, prompt="hi")
    kaito, greedy = (chosen for _, chosen in model.asked)
    assert kaito == sampling.Sampling(max_tokens=200, temperature=1.0, top_k=10)
    assert greedy.greedy


def test_a_requests_own_end_id_ends_the_answer(client: testclient.TestClient) -> None:
    body = {"prompt": "hi", "generate_kwargs": {"eos_token_id": ord("o")}}
    assert client.post("/chat", json=body).json() == {"Result": "hi\nHell"}
