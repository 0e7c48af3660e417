"""The engine's answer as the event loop sees it: given up when its reader goes away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette import requests

from runtime import engine, refusals, sampling, sequence


class ReaderGone(Exception):
    """The client closed its connection; there is nobody to answer."""


@dataclass(frozen=True)
class Whole:
    """A complete answer."""

    text: str
    reason: sequence.Reason
    prompt_tokens: int
    completion_tokens: int


class Answer:
    """One submitted sequence and its events."""

    def __init__(self, prompt: sequence.Prompt, chosen: sampling.Sampling) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[sequence.Event] = asyncio.Queue()
        self.sequence = sequence.Sequence(prompt, chosen, self._emit)

    def _emit(self, event: sequence.Event) -> None:
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:  # the loop is closed: the server has gone, and its readers before it
            self.sequence.cancel()

    async def events(self) -> AsyncIterator[sequence.Delta | sequence.Finished]:
        """Deltas, then the end; the sequence is given up when this is closed early.

        Raises:
            Refused: the engine failed.
        """
        try:
            while True:
                event = await self._events.get()
                if isinstance(event, sequence.Failed):
                    raise refusals.Refused(500, event.message)
                yield event
                if isinstance(event, sequence.Finished):
                    return
        finally:
            self.sequence.cancel()

    async def whole(self) -> Whole:
        """All of it.

        Raises:
            Refused: the engine failed.
        """
        text: list[str] = []
        async for event in self.events():
            if isinstance(event, sequence.Delta):
                text.append(event.text)
            else:
                tokens = len(self.sequence.prompt.ids)
                return Whole("".join(text), event.reason, tokens, event.completion_tokens)
        raise AssertionError("events end with Finished")


def begin(running: engine.Engine, prompt: sequence.Prompt, chosen: sampling.Sampling) -> Answer:
    """Submit a sequence.

    Raises:
        Refused: 429 with `Retry-After`, too many wait.
    """
    answer = Answer(prompt, chosen)
    try:
        running.submit(answer.sequence)
    except engine.QueueFull as full:
        raise refusals.Refused(
            429,
            f"{full}; try again later",
            code="queue_full",
            retry_after_seconds=full.retry_after_seconds,
        ) from full
    return answer


async def whole_or_gone(answer: Answer, request: requests.Request) -> Whole:
    """The whole answer, given up as soon as the client has gone.

    Raises:
        Refused: the engine failed.
        ReaderGone: the client closed its connection.
    """
    complete = asyncio.ensure_future(answer.whole())
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({complete, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not complete.done():
            raise ReaderGone
        return complete.result()
    finally:
        answer.sequence.cancel()
        complete.cancel()
        gone.cancel()


async def _disconnect(request: requests.Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
