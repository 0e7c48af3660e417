"""What both surfaces share: the engine, the served name, the body and the prompt of a request."""

import asyncio
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field

from starlette import requests

from runtime import chat, engine, health, refusals, sequence


@dataclass(frozen=True)
class Service:
    """The running server's parts, as a request sees them."""

    running: engine.Engine
    health: health.Health
    served_name: str
    body_limit_bytes: int
    now: Callable[[], float]
    """Seconds since the epoch."""
    tokenizing: futures.Executor = field(
        default_factory=lambda: futures.ThreadPoolExecutor(1, "tokenizer")
    )
    """One thread: tokenizers are not safe on several, and a long prompt must not hold the loop."""

    @property
    def model(self) -> engine.Model:
        """The loaded model.

        Raises:
            Refused: 503 while there is none.
        """
        model = self.running.model
        if model is None or not self.health.ready:
            raise refusals.Refused(
                503, self.health.detail, code="model_not_ready", retry_after_seconds=1
            )
        return model

    async def body(self, request: requests.Request) -> bytes:
        """The whole body; what its content type says is not looked at (`curl -d` says form).

        Raises:
            Refused: 413 when it is longer than the limit.
        """
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self.body_limit_bytes:
                raise refusals.Refused(
                    413,
                    f"the body is longer than {self.body_limit_bytes} bytes",
                    code="body_too_large",
                )
            parts.append(part)
        return b"".join(parts)

    async def prompt(self, make: Callable[[], sequence.Prompt]) -> tuple[sequence.Prompt, int]:
        """The prompt that `make` makes, and the tokens left for its answer.

        Raises:
            Refused: 400, the template refuses or the context is full.
        """
        model = self.model
        try:
            made = await asyncio.get_running_loop().run_in_executor(self.tokenizing, make)
            return made, chat.room(len(made.ids), model.context_tokens)
        except chat.CannotRender as error:
            raise refusals.Refused(
                400, str(error), code="invalid_messages", param="messages"
            ) from error
        except chat.ContextExceeded as error:
            raise refusals.Refused(
                400, str(error), code="context_length_exceeded", param="messages"
            ) from error
