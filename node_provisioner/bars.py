"""What is left alone after it was refused, and for how long."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

BAR_SECONDS = 180.0
"""Karpenter counts an offering as unavailable for as long; asking earlier gets the same answer."""
FAILURES = 3
"""Refusals of an offer in a row after which the circuit opens."""
OPEN_SECONDS, LONGEST_SECONDS = 300.0, 1800.0
"""How long it is open, doubled every time; cluster-autoscaler's values for a node group."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Bar:
    """Something that was refused."""

    until: float
    refusals: int
    """In a row."""
    why: str


class Bars(Generic[K]):
    """Bars by what was refused; after its bar a thing is tried carefully until it succeeds."""

    def __init__(
        self, first_seconds: float | None = None, *, growth: float = 1, failures: int = FAILURES
    ) -> None:
        """The first bars last `first_seconds`, times `growth` each; then the circuit opens."""
        self._first = BAR_SECONDS if first_seconds is None else first_seconds
        self._growth = growth
        self._failures = failures
        self._bars: dict[K, Bar] = {}

    def refuse(self, key: K, why: str, now: float) -> None:
        """Leave it alone for a while; what is refused while it is barred counts once."""
        last = self._bars.get(key)
        if last is not None and now < last.until:
            return
        refusals = last.refusals + 1 if last else 1
        self._bars[key] = Bar(now + self._seconds(refusals), refusals, why)

    def succeed(self, key: K) -> None:
        """It can be had again."""
        self._bars.pop(key, None)

    def barred(self, now: float) -> dict[K, str]:
        """What is left alone now, and why."""
        return {key: bar.why for key, bar in self._bars.items() if now < bar.until}

    def probed(self, now: float) -> frozenset[K]:
        """What is tried again after its bar, and has not succeeded yet."""
        return frozenset(key for key, bar in self._bars.items() if now >= bar.until)

    def why(self, key: K) -> str:
        """What was said at its last refusal."""
        return self._bars[key].why

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something is tried again."""
        return (bar.until - now for bar in self._bars.values() if now < bar.until)

    def _seconds(self, refusals: int) -> float:
        if refusals < self._failures:
            return self._first * pow(self._growth, refusals - 1)
        doublings = min(refusals - self._failures, 10)
        return min(OPEN_SECONDS * 2.0**doublings, LONGEST_SECONDS)
