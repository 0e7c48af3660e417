"""One thread that owns the model: it loads it, then answers sequences in the order they came.

All torch operations run here, loading included: a second thread would bring a second pool of
worker threads, and on few cores the two wait for each other. This module knows no torch: the
model is a Protocol, so order, limits and cancellation are tested without one.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from runtime import detokenize, health, sampling, sequence
from telemetry import logs


class QueueFull(Exception):
    """As many sequences wait as may; try again in `retry_after_seconds`."""

    def __init__(self, waiting: int, retry_after_seconds: int) -> None:
        super().__init__(f"{waiting} requests are waiting already")
        self.retry_after_seconds = retry_after_seconds


class Model(Protocol):
    """A loaded model, as the engine and the HTTP side see it."""

    tokenizer: Any
    context_tokens: int
    eos_ids: frozenset[int]
    wishes: sampling.Wishes
    """What the model's own generation config says about sampling."""
    new_tokens: int | None
    """Longest answer by the model's own generation config."""

    def decode(self, ids: list[int]) -> str:
        """Text of the ids, special tokens left out."""

    def generate(
        self, ids: Sequence[int], chosen: sampling.Sampling, taken: Callable[[int], bool]
    ) -> None:
        """Generate until `chosen.max_tokens`, or until `taken(token)` says that it was the last."""


class Engine:
    """The queue and its thread. `submit` is called from one thread only, the event loop's."""

    def __init__(
        self,
        load: Callable[[], Model],
        state: health.Health,
        *,
        waiting_limit: int,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._load = load
        self._health = state
        self._limit = waiting_limit
        self._ended = ended
        self._waiting: deque[sequence.Sequence] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._seconds = 1.0
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self.model: Model | None = None
        """None until it is loaded."""
        self.failure: Exception | None = None
        """Why the model could not be loaded."""

    def start(self) -> None:
        """Begin to load; `health` tells how far it is."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """End after the sequence at hand; whether the thread has ended in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Sequences that wait for their turn and are still wanted."""
        with self._changed:
            return sum(not s.cancelled for s in self._waiting)

    def submit(self, item: sequence.Sequence) -> None:
        """Queue `item`; its events come on the engine's thread.

        Raises:
            QueueFull: too many wait; nothing was queued.
        """
        with self._changed:
            gone = [s for s in self._waiting if s.cancelled]
            for unwanted in gone:
                self._waiting.remove(unwanted)
                unwanted.emit(sequence.Finished("aborted", 0))
            if len(self._waiting) >= self._limit:
                raise QueueFull(len(self._waiting), max(1, math.ceil(self._seconds)))
            self._waiting.append(item)
            self._changed.notify()

    def _run(self) -> None:
        try:
            self._health.enter("loading")
            model = self._load()
            self._health.enter("warming")
            _warm(model)
        except Exception as error:  # noqa: BLE001 - thread boundary: `serve` reports it and exits
            self.failure = error
            self._health.enter("failed")
            self._ended()
            return
        self.model = model
        self._health.enter("ready")
        while (item := self._next()) is not None:
            self._answer(model, item)

    def _next(self) -> sequence.Sequence | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return None if self._stopping else self._waiting.popleft()

    def _answer(self, model: Model, item: sequence.Sequence) -> None:
        if item.cancelled:
            item.emit(sequence.Finished("aborted", 0))
            return
        began = time.monotonic()
        answer = _Answer(model, item)
        try:
            model.generate(item.prompt.ids, item.sampling, answer.take)
            end: sequence.Event = answer.end()
        except Exception as error:  # noqa: BLE001 - one request's failure must not end the others'
            logs.failure("generate_failed", error, prompt_tokens=len(item.prompt.ids))
            end = sequence.Failed("the model failed on this request; the server's log says why")
        seconds = time.monotonic() - began
        self._seconds += 0.2 * (seconds - self._seconds)
        _log(item, end, seconds)
        item.emit(end)


class _Answer:
    """The text and the end of one sequence, token by token."""

    def __init__(self, model: Model, item: sequence.Sequence) -> None:
        stop = (*item.sampling.stop, *item.prompt.stop)
        # A continued text needs what stood before it: "▁of" is " of" only after another word.
        context = item.prompt.ids[-8:] if item.prompt.continued else ()
        self._item = item
        self._eos = model.eos_ids | item.sampling.extra_eos_ids
        self._text = detokenize.Detokenizer(model.decode, stop, context)
        self._tokens = 0
        self._complete = False

    def take(self, token: int) -> bool:
        """Count `token`, emit what it completes; whether it was the last.

        On a GPU transformers looks at the verdict a step late: a token after the last is dropped.
        """
        if self._complete or self._tokens >= self._item.sampling.max_tokens:
            return True
        self._tokens += 1
        if token in self._eos:
            self._complete = True
        else:
            self._emit(self._text.push(token))
            self._complete = self._text.stopped
        return self._complete or self._item.cancelled

    def end(self) -> sequence.Finished:
        """How it ended, after the rest of the text was emitted."""
        self._emit(self._text.end())
        if self._complete or self._text.stopped:
            return sequence.Finished("stop", self._tokens)
        return sequence.Finished("aborted" if self._item.cancelled else "length", self._tokens)

    def _emit(self, text: str) -> None:
        if text:
            self._item.emit(sequence.Delta(text))


def _log(item: sequence.Sequence, end: sequence.Event, seconds: float) -> None:
    if isinstance(end, sequence.Finished):
        logs.info(
            "answered",
            prompt_tokens=len(item.prompt.ids),
            completion_tokens=end.completion_tokens,
            reason=end.reason,
            seconds=f"{seconds:.3f}",
        )


def _warm(model: Model) -> None:
    """Run what is set up lazily once, so that ready means a prompt answer."""
    ids = model.tokenizer("a")["input_ids"] or [0]
    model.generate(ids, sampling.Sampling(max_tokens=2), lambda _: False)
