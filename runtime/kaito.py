"""KAITO's surface: POST `/chat` answers `{"Result": text}`.

As KAITO: fields, defaults, status codes, and that the answer to a `prompt` begins with the prompt
unless `return_full_text` is false. Better than KAITO:

- The prompt of a chat model goes through its chat template, as one user turn; the answer then
  stands on a line of its own below the prompt. A base model continues the prompt itself.
- All ids that end an answer are honoured, not only the tokenizer's.
- The model's own generation config comes before KAITO's defaults.
- Without `max_length` and `max_new_tokens` an answer has up to 200 tokens however long the prompt.
- The answer to `messages` is the text of the next turn, not the repr of a Python object.
- A field that we do not honour is refused by name.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from starlette import requests, responses

from runtime import answers, chat, engine, protocol, refusals, sampling, sequence, service

NEW_TOKENS = 200
"""Longest answer where nobody says. KAITO's number for prompt and answer together."""


def render(refused: refusals.Refused) -> responses.Response:
    """`{"detail": ...}`: FastAPI's list for a malformed body (422), else a sentence."""
    if refused.problems or refused.code == "invalid_json":
        problems = refused.problems or [refusals.Problem("", str(refused))]
        return responses.JSONResponse({"detail": _detail(problems)}, 422)
    return responses.JSONResponse({"detail": str(refused)}, refused.status, headers=refused.headers)


def _detail(problems: Sequence[refusals.Problem]) -> list[dict[str, Any]]:
    return [
        {
            "type": "value_error",
            "loc": ["body", *p.path.split(".")] if p.path else ["body"],
            "msg": f"{p.path}: {p.message}" if p.path else p.message,
        }
        for p in problems
    ]


async def respond(served: service.Service, request: requests.Request) -> responses.Response:
    """POST `/chat`."""
    model = served.model
    asked = protocol.kaito_chat(await served.body(request))
    _check(asked)
    prompt, room = await served.prompt(lambda: _prompt(model, asked))
    arguments = asked.generate_kwargs
    chosen = dataclasses.replace(
        sampling.choose(
            arguments.wishes(),
            model.wishes,
            sampling.KAITO,
            max_tokens=min(room, _limit(arguments, model, len(prompt.ids))),
        ),
        stop=arguments.stops(),
        seed=arguments.seed,
        extra_eos_ids=arguments.eos_ids(),
    )
    answer = answers.begin(served.running, prompt, chosen)
    whole = await answers.whole_or_gone(answer, request)
    return responses.JSONResponse({"Result": _result(asked, prompt, whole.text)})


def _check(asked: protocol.ChatRequest) -> None:
    """Raises Refused unless exactly one of prompt and messages is there; the texts are KAITO's."""
    if asked.prompt and asked.messages:
        raise refusals.Refused(400, "prompt and messages exclude each other: give one")
    if asked.messages is not None and not asked.prompt and not asked.messages:
        raise refusals.Refused(400, "Conversational parameter messages required")
    if not asked.prompt and not asked.messages:
        raise refusals.Refused(400, "Text generation parameter prompt required")
    if asked.messages and asked.return_full_text:
        raise refusals.Refused(400, "return_full_text: true goes with prompt, not with messages")


def _prompt(model: engine.Model, asked: protocol.ChatRequest) -> sequence.Prompt:
    if asked.messages:
        return chat.prompt(model.tokenizer, [m.plain() for m in asked.messages])
    return chat.prompt(model.tokenizer, [{"role": "user", "content": asked.prompt or ""}])


def _limit(arguments: protocol.GenerateKwargs, model: engine.Model, prompt_tokens: int) -> int:
    """Tokens that the answer may have; `max_new_tokens` wins over `max_length`, as there."""
    if arguments.max_new_tokens:
        return arguments.max_new_tokens
    if not arguments.max_length:
        return model.new_tokens or NEW_TOKENS
    if arguments.max_length <= prompt_tokens:
        raise refusals.Refused(
            400,
            f"generate_kwargs.max_length: {arguments.max_length} leaves no room for an answer:"
            f" it counts the prompt too, which has {prompt_tokens} tokens;"
            " give max_new_tokens instead",
        )
    return arguments.max_length - prompt_tokens


def _result(asked: protocol.ChatRequest, prompt: sequence.Prompt, text: str) -> str:
    if not asked.prompt or asked.return_full_text is False:
        return text
    return asked.prompt + ("" if prompt.continued else "\n") + text
