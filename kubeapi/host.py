"""What a program takes from the machine that it runs on: time, waiting and threads.

`REAL` is that machine. A simulation hands in its own, on which hours pass in a moment and threads
take turns in an order that can be repeated.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Flag(Protocol):
    """A `threading.Event`, as far as programs use it."""

    def is_set(self) -> bool:
        """Whether it is set."""
        ...

    def set(self) -> None:
        """Set it: whoever waits goes on."""
        ...

    def clear(self) -> None:
        """Take it back."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most `timeout` seconds; whether it is."""
        ...


class Host(Protocol):
    """Time, waiting and threads."""

    def monotonic(self) -> float:
        """Seconds of a clock that only goes forward."""
        ...

    def now(self) -> datetime:
        """What time it is, in UTC; may jump."""
        ...

    def flag(self) -> Flag:
        """A flag that is not set."""
        ...

    def start(self, work: Callable[[], None]) -> None:
        """Do this beside everything else; it does not keep the process alive."""
        ...

    def each(self, work: Callable[[T], R], items: Sequence[T], *, at_once: int) -> list[R]:
        """What `work` gives for every item, in order; so many are done side by side."""
        ...


class _Real:
    """The machine itself."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def flag(self) -> Flag:
        return threading.Event()

    def start(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()

    def each(self, work: Callable[[T], R], items: Sequence[T], *, at_once: int) -> list[R]:
        if len(items) <= 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(min(at_once, len(items))) as pool:
            return list(pool.map(work, items))


REAL: Host = _Real()
"""The machine that this process runs on."""
