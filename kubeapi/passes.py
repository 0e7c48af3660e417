"""When a program looks: after a burst of changes, after the pause it asked for, after a failure."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from kubeapi import api, host, pace
from telemetry import logs

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Between a pass that failed and the next one."""


class Kept(Protocol):
    """Something that keeps itself until `stop`, as a `mirror.Mirror` does."""

    def run(self, stop: host.Flag) -> None:
        """Keep it until `stop` is set."""
        ...


class Passes:
    """Makes one pass after another; all state lives in the program's own objects."""

    def __init__(self, on: host.Host, *, idle_seconds: float, longest_seconds: float) -> None:
        self._host = on
        self._idle = idle_seconds
        self._longest = longest_seconds
        self._wake, self._more = on.flag(), on.flag()

    def wake(self) -> None:
        """Let the program look as soon as the burst is over, which goes on; also at its stop."""
        self._more.set()
        self._wake.set()

    def note(self) -> None:
        """Let the program look soon, and wait for no more of it: what changed makes no burst."""
        self._wake.set()

    @property
    def is_pressed(self) -> bool:
        """Whether more of a burst came since the pass under way began."""
        return self._more.is_set()

    def run(
        self,
        run_pass: Callable[[], float | None],
        kept: Sequence[Kept],
        stop: host.Flag,
    ) -> None:
        """Keep `kept` and make passes until `stop` is set, whatever happens on the way.

        `run_pass` returns after how many seconds it wants to look again without a change; None:
        never.
        """
        for each in kept:
            self._host.start(partial(each.run, stop))
        backoff = pace.Backoff(
            first_seconds=_FIRST_PAUSE_SECONDS, limit_seconds=_LONGEST_PAUSE_SECONDS
        )
        again: float | None = None
        while not stop.is_set():
            if self._wake.wait(again):
                self._gather_burst(stop)
            if stop.is_set():
                return
            try:
                again = run_pass()
                backoff.reset()
            except Exception as error:  # noqa: BLE001 - the process loop: a bug must not end the program
                again = 0.0
                _tell(error, pause := backoff.next_seconds())
                stop.wait(pause)

    def _gather_burst(self, stop: host.Flag) -> None:
        clock = self._host.monotonic
        window = pace.Window(clock(), idle_seconds=self._idle, longest_seconds=self._longest)
        self._more.clear()
        while not stop.is_set() and (left := window.left_seconds(clock())) > 0:
            if self._more.wait(left):
                self._more.clear()
                window.touch(clock())
        self._wake.clear()


def _tell(error: Exception, pause: float) -> None:
    if isinstance(error, api.ApiError):
        logs.warning("pass_failed", error=error, retry_seconds=pause)
    else:
        logs.failure("pass_failed", error, retry_seconds=pause)
