"""Bodies to requests: what we honour is parsed, all else is refused by name, all at once."""

from typing import Any

import orjson
import pytest

from runtime import protocol, refusals

MESSAGES = [{"role": "user", "content": "secret words"}]


def completion(**fields: Any) -> protocol.CompletionRequest:
    return protocol.completion(orjson.dumps({"messages": MESSAGES, **fields}))


def chat(**fields: Any) -> protocol.ChatRequest:
    return protocol.kaito_chat(orjson.dumps({"prompt": "secret words", **fields}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("n", True),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("presence_penalty", 0.5),
        ("frequency_penalty", -1),
        ("logit_bias", {"5": 1}),
        ("response_format", {"type": "json_object"}),
        ("tools", [{"type": "function"}]),
        ("tool_choice", "required"),
        ("min_p", 0.1),
        ("temperatur", 1),
        ("temperature", -1),
        ("temperature", True),
        ("top_p", 0),
        ("top_p", 1.5),
        ("top_k", -2),
        ("max_tokens", 0),
        ("max_completion_tokens", "many"),
        ("seed", 2**63),
        ("seed", 1.5),
        ("stop", ""),
        ("stop", ["a"] * 17),
        ("stream", "yes"),
        ("stream_options", {"include_obfuscation": True}),
        ("messages", []),
        ("messages", [{"role": "tool", "content": "x"}]),
        ("messages", [{"role": "user"}]),
        ("messages", [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]),
        ("messages", [{"role": "assistant", "content": "x", "tool_calls": []}]),
    ],
)
def test_a_field_that_we_cannot_honour_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(refusals.Refused, match=rf"^{field}") as refused:
        completion(**{field: value})
    assert refused.value.status == 400
    assert str(refused.value.param).startswith(field)


@pytest.mark.parametrize(
    ("field", "values"), [(f, v) for f, v in protocol.COMPLETION_NEUTRAL.items() if v]
)
def test_spelled_out_defaults_of_openai_are_taken(field: str, values: tuple[Any, ...]) -> None:
    for value in [*values, None]:
        assert completion(**{field: value}).messages[0].plain()["content"] == "secret words"


def test_every_problem_is_named_at_once_and_no_value_is_shown() -> None:
    with pytest.raises(refusals.Refused) as refused:
        completion(n=2, foo=1, temperature="secret words")
    assert [p.path for p in refused.value.problems] == ["foo", "n", "temperature"]
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"prompt=hi", b'"x"', b"\xff"])
def test_a_body_that_is_no_json_object_is_told_so(body: bytes) -> None:
    for parse in (protocol.completion, protocol.kaito_chat):
        with pytest.raises(refusals.Refused, match="the body is not") as refused:
            parse(body)
        assert refused.value.code == "invalid_json"


def test_text_parts_are_joined_and_developer_is_system() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    asked = completion(messages=[{"role": "developer", "content": parts}])
    assert asked.messages[0].plain() == {"role": "system", "content": "ab"}


@pytest.mark.parametrize(("stop", "stops"), [("a", ("a",)), (["a", "b"], ("a", "b")), (None, ())])
def test_stop_is_one_string_or_several(stop: Any, stops: tuple[str, ...]) -> None:
    assert completion(stop=stop).stops() == stops
    assert chat(generate_kwargs={"stop_strings": stop}).generate_kwargs.stops() == stops


KAITO_DEFAULTS = {
    "max_length": 200,
    "min_length": 0,
    "do_sample": True,
    "early_stopping": False,
    "num_beams": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "temperature": 1.0,
    "top_k": 10,
    "top_p": 1,
    "typical_p": 1,
    "repetition_penalty": 1,
    "length_penalty": 1,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "num_return_sequences": 1,
    "output_scores": False,
    "return_dict_in_generate": False,
    "pad_token_id": None,
    "eos_token_id": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "remove_invalid_values": None,
}


def test_a_client_that_spells_out_all_of_kaitos_defaults_is_served() -> None:
    asked = chat(
        return_full_text=True,
        clean_up_tokenization_spaces=False,
        prefix=None,
        handle_long_generation=None,
        generate_kwargs=KAITO_DEFAULTS,
        messages=None,
    )
    assert asked.generate_kwargs.max_length == 200
    assert asked.generate_kwargs.wishes().do_sample is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_beams", 4),
        ("min_length", 5),
        ("typical_p", 0.9),
        ("no_repeat_ngram_size", 3),
        ("num_return_sequences", 2),
        ("max_lenght", 5),
        ("max_length", 0),
        ("eos_token_id", -1),
        ("eos_token_id", 2**40),
    ],
)
def test_a_generation_argument_that_we_cannot_honour_is_refused_by_name(
    field: str, value: Any
) -> None:
    with pytest.raises(refusals.Refused, match=rf"^generate_kwargs\.{field}"):
        chat(generate_kwargs={field: value})


@pytest.mark.parametrize("field", ["prefix", "handle_long_generation", "stream"])
def test_a_field_of_chat_that_we_cannot_honour_is_refused_by_name(field: str) -> None:
    with pytest.raises(refusals.Refused, match=rf"^{field}"):
        chat(**{field: "x"})


def test_one_end_id_or_several() -> None:
    for given, ids in [(5, {5}), ([5, 6], {5, 6}), (None, set())]:
        assert chat(generate_kwargs={"eos_token_id": given}).generate_kwargs.eos_ids() == ids
