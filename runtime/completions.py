"""The OpenAI surface: `/v1/models` and `/v1/chat/completions`, whole or streamed."""

import dataclasses
import uuid
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette import requests, responses

from runtime import answers, chat, protocol, refusals, sampling, sequence, service

_TYPES = {429: "rate_limit_error", 500: "server_error", 503: "server_error"}


def render(refused: refusals.Refused) -> responses.Response:
    """The error object of the OpenAI API."""
    return responses.JSONResponse(_error(refused), refused.status, headers=refused.headers)


def _error(refused: refusals.Refused) -> dict[str, Any]:
    return {
        "error": {
            "message": str(refused),
            "type": _TYPES.get(refused.status, "invalid_request_error"),
            "param": refused.param,
            "code": refused.code,
        }
    }


async def models(served: service.Service, _: requests.Request) -> responses.Response:
    """GET `/v1/models`: the one model, under the name that it is served by."""
    model = served.model
    entry = {
        "id": served.served_name,
        "object": "model",
        "created": int(served.now()),
        "owned_by": "plainsail",
        "max_model_len": model.context_tokens,
    }
    return responses.JSONResponse({"object": "list", "data": [entry]})


async def complete(served: service.Service, request: requests.Request) -> responses.Response:
    """POST `/v1/chat/completions`."""
    model = served.model
    asked = protocol.completion(await served.body(request))
    if asked.model not in {None, served.served_name}:
        raise refusals.Refused(
            404,
            f"model: {asked.model!r} is not served here; this is {served.served_name!r}",
            code="model_not_found",
            param="model",
        )
    messages = [m.plain() for m in asked.messages]
    prompt, room = await served.prompt(lambda: chat.prompt(model.tokenizer, messages))
    limit = asked.max_completion_tokens or asked.max_tokens or model.new_tokens or room
    chosen = dataclasses.replace(
        sampling.choose(asked.wishes(), model.wishes, sampling.OPENAI, max_tokens=min(limit, room)),
        stop=asked.stops(),
        seed=asked.seed,
    )
    answer = answers.begin(served.running, prompt, chosen)
    head = _head(served)
    if asked.stream:
        usage = bool(asked.stream_options and asked.stream_options.include_usage)
        return responses.StreamingResponse(
            _stream(answer, head, with_usage=usage), media_type="text/event-stream"
        )
    return responses.JSONResponse(_completion(head, await answers.whole_or_gone(answer, request)))


def _head(served: service.Service) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "created": int(served.now()),
        "model": served.served_name,
    }


def _completion(head: dict[str, Any], whole: answers.Whole) -> dict[str, Any]:
    message = {"role": "assistant", "content": whole.text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": whole.reason}
    usage = _usage(whole.prompt_tokens, whole.completion_tokens)
    return {"object": "chat.completion", **head, "choices": [choice], "usage": usage}


def _usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


async def _stream(
    answer: answers.Answer, head: dict[str, Any], *, with_usage: bool
) -> AsyncIterator[bytes]:
    """Server-sent events: the role, the pieces, the reason, the usage if asked for, `[DONE]`."""
    head = {"object": "chat.completion.chunk", **head}
    yield _chunk(head, {"role": "assistant", "content": ""})
    try:
        async for event in answer.events():
            if isinstance(event, sequence.Delta):
                yield _chunk(head, {"content": event.text})
                continue
            yield _chunk(head, {}, event.reason)
            if with_usage:
                usage = _usage(len(answer.sequence.prompt.ids), event.completion_tokens)
                yield _data(orjson.dumps({**head, "choices": [], "usage": usage}))
    except refusals.Refused as refused:  # the status line is long sent
        yield _data(orjson.dumps(_error(refused)))
    finally:
        answer.sequence.cancel()
    yield _data(b"[DONE]")


def _chunk(head: dict[str, Any], delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return _data(orjson.dumps({**head, "choices": [choice]}))


def _data(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"
