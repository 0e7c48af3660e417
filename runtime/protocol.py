"""Wire types of both surfaces, and the fields that we refuse by name."""

from typing import Annotated, Any, Literal, TypeVar

import orjson
import pydantic
from pydantic import Field

from runtime import chat, refusals, sampling

Positive = Annotated[int, Field(ge=1)]
Token = Annotated[int, Field(ge=0, lt=2**31)]
Temperature = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Probability = Annotated[float, Field(gt=0, le=1)]
TopK = Annotated[int, Field(ge=-1)]
Penalty = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Stop = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""What the random generator takes."""


class _Wire(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


W = TypeVar("W", bound=_Wire)


class TextPart(_Wire):
    """One piece of a message's content."""

    type: Literal["text"]
    text: str


class ChatMessage(_Wire):
    """One turn: a plain string, or text parts that are joined."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    def plain(self) -> chat.Message:
        """The turn as chat templates take it; `developer` is today's word for `system`."""
        text = self.content
        if not isinstance(text, str):
            text = "".join(part.text for part in text)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class StreamOptions(_Wire):
    """`stream_options`."""

    include_usage: bool = False


class CompletionRequest(_Wire):
    """Body of POST `/v1/chat/completions`: what we honour. Source: OpenAI API reference."""

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    model: str | None = None
    max_completion_tokens: Positive | None = None
    max_tokens: Positive | None = None
    temperature: Temperature | None = None
    top_p: Probability | None = None
    top_k: TopK | None = None
    repetition_penalty: Penalty | None = None
    seed: Seed | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    """Names the end user to a provider; asks for nothing."""

    def wishes(self) -> sampling.Wishes:
        """What the request says about sampling."""
        return sampling.Wishes(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            repetition_penalty=self.repetition_penalty,
        )

    def stops(self) -> tuple[str, ...]:
        """The stop strings."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


COMPLETION_NEUTRAL: dict[str, tuple[object, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "ignore_eos": (False,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "metadata": ({},),
    "min_p": (0,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "presence_penalty": (0,),
    "reasoning_effort": (),
    "response_format": ({"type": "text"},),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
}
"""Fields of the OpenAI API that we do not support, with the values that ask for nothing."""


class GenerateKwargs(_Wire):
    """`generate_kwargs` of POST `/chat`: what we honour of transformers' generation arguments."""

    max_length: Positive | None = None
    """Prompt and answer together, as in KAITO."""
    max_new_tokens: Positive | None = None
    do_sample: bool | None = None
    temperature: Temperature | None = None
    top_k: TopK | None = None
    top_p: Probability | None = None
    repetition_penalty: Penalty | None = None
    seed: Seed | None = None
    stop_strings: Stop | list[Stop] | None = None
    eos_token_id: Token | list[Token] | None = None
    """Ends the answer besides the model's own ids, never instead of them."""
    pad_token_id: int | None = None
    """Fills up shorter sequences of a batch; there is one sequence, so it asks for nothing."""

    def wishes(self) -> sampling.Wishes:
        """What the request says about sampling."""
        return sampling.Wishes(
            do_sample=self.do_sample,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            repetition_penalty=self.repetition_penalty,
        )

    def stops(self) -> tuple[str, ...]:
        """The stop strings."""
        stop = self.stop_strings
        return (stop,) if isinstance(stop, str) else tuple(stop or ())

    def eos_ids(self) -> frozenset[int]:
        """The request's own end ids."""
        ids = self.eos_token_id
        return frozenset([ids] if isinstance(ids, int) else ids or [])


GENERATE_NEUTRAL: dict[str, tuple[object, ...]] = {
    "bad_words_ids": ([],),
    "diversity_penalty": (0,),
    "early_stopping": (False,),
    "encoder_no_repeat_ngram_size": (0,),
    "forced_bos_token_id": (),
    "forced_eos_token_id": (),
    "length_penalty": (1,),
    "min_length": (0,),
    "min_new_tokens": (0,),
    "no_repeat_ngram_size": (0,),
    "num_beam_groups": (1,),
    "num_beams": (1,),
    "num_return_sequences": (1,),
    "output_scores": (False,),
    "remove_invalid_values": (False,),
    "return_dict_in_generate": (False,),
    "typical_p": (1,),
    "use_cache": (True,),
}
"""Generation arguments that KAITO passes on and we do not support; its defaults ask for nothing."""


class ChatRequest(_Wire):
    """Body of POST `/chat`. Source: KAITO v0.3.0, UnifiedRequestModel."""

    prompt: str | None = None
    messages: list[ChatMessage] | None = None
    return_full_text: bool | None = None
    generate_kwargs: GenerateKwargs = GenerateKwargs()


CHAT_NEUTRAL: dict[str, tuple[object, ...]] = {
    "clean_up_tokenization_spaces": (False,),
    "handle_long_generation": (),
    "prefix": ("",),
}
"""Fields of KAITO's `/chat` that we do not support, with the values that ask for nothing."""


def completion(body: bytes) -> CompletionRequest:
    """The request in `body`.

    Raises:
        Refused: 400 with every problem.
    """
    raw = _object(body)
    problems = _split(raw, CompletionRequest, COMPLETION_NEUTRAL, "")
    return _validated(CompletionRequest, raw, problems)


def kaito_chat(body: bytes) -> ChatRequest:
    """The request in `body`.

    Raises:
        Refused: 400 or 422 with every problem.
    """
    raw = _object(body)
    problems = _split(raw, ChatRequest, CHAT_NEUTRAL, "")
    if raw.get("generate_kwargs") is None:
        raw.pop("generate_kwargs", None)
    elif isinstance(raw["generate_kwargs"], dict):
        arguments = dict(raw["generate_kwargs"])
        problems += _split(arguments, GenerateKwargs, GENERATE_NEUTRAL, "generate_kwargs.")
        raw["generate_kwargs"] = arguments
    return _validated(ChatRequest, raw, problems)


def _object(body: bytes) -> dict[str, Any]:
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = f"the body is not JSON: {error}"
        raise refusals.Refused(400, message, code="invalid_json") from error
    if not isinstance(raw, dict):
        raise refusals.Refused(400, "the body is not a JSON object", code="invalid_json")
    return raw


def _split(
    raw: dict[str, Any],
    model: type[_Wire],
    neutral: dict[str, tuple[object, ...]],
    prefix: str,
) -> list[refusals.Problem]:
    """Problems with the fields that `model` lacks; they are taken out of `raw`."""
    problems = refusals.unsupported(raw, model.model_fields, neutral)
    for field in set(raw) - set(model.model_fields):
        del raw[field]
    return [refusals.Problem(prefix + p.path, p.message) for p in problems]


def _validated(model: type[W], raw: dict[str, Any], problems: list[refusals.Problem]) -> W:
    try:
        parsed = model.model_validate(raw)
    except pydantic.ValidationError as error:
        raise refusals.invalid([*problems, *refusals.of_validation(error)]) from error
    if problems:
        raise refusals.invalid(problems)
    return parsed
