"""How fast things happen: pauses after failures, and the window that gathers a burst."""


class Backoff:
    """Pauses that double from `first_seconds` to `limit_seconds`."""

    def __init__(self, *, first_seconds: float, limit_seconds: float) -> None:
        self._first = first_seconds
        self._limit = limit_seconds
        self._next = first_seconds

    def next_seconds(self) -> float:
        """The pause to make now."""
        pause, self._next = self._next, min(self._next * 2, self._limit)
        return pause

    def reset(self) -> None:
        """Start again at the first pause."""
        self._next = self._first


class Window:
    """Gathers changes until none came for `idle_seconds`, at most for `longest_seconds`."""

    def __init__(self, now: float, *, idle_seconds: float, longest_seconds: float) -> None:
        self._idle = idle_seconds
        self._end = now + longest_seconds
        self._quiet = now + idle_seconds

    def touch(self, now: float) -> None:
        """Note that another change came."""
        self._quiet = now + self._idle

    def left_seconds(self, now: float) -> float:
        """Seconds until the window closes; 0 or less when it is over."""
        return min(self._quiet, self._end) - now
