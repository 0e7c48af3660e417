"""The nouns of the engine: a sequence to answer and the events that end in its answer.

Every submitted sequence gets any number of `Delta` and then exactly one `Finished` or `Failed`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from runtime import sampling

Reason = Literal["stop", "length", "aborted"]


@dataclass(frozen=True)
class Prompt:
    """A prompt as the model reads it."""

    ids: tuple[int, ...]
    continued: bool = False
    """The answer continues the prompt's own text: no chat template stands between them."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer besides the request's own."""


@dataclass(frozen=True)
class Delta:
    """The next piece of the answer: whole characters."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The answer is complete, or its reader has gone (`aborted`)."""

    reason: Reason
    completion_tokens: int
    """Tokens generated, the end-of-sequence token among them."""


@dataclass(frozen=True)
class Failed:
    """The engine could not answer; what happened is in the log."""

    message: str


Event = Delta | Finished | Failed


@dataclass(eq=False)
class Sequence:
    """One answer to make. `emit` is called on the engine's thread and must not block."""

    prompt: Prompt
    sampling: "sampling.Sampling"
    emit: Callable[[Event], None]
    _cancelled: threading.Event = field(default_factory=threading.Event, init=False)

    def cancel(self) -> None:
        """Ask the engine to stop after the token at hand; safe from any thread, at any time."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for this answer any more."""
        return self._cancelled.is_set()
