"""Virtual time: hours pass in a moment, and threads take turns in an order that can be repeated.

Programs run their own code on real threads, of which exactly one has the turn. Who waits gives it
up: then whatever is due next happens, a callback or another thread's turn, and time jumps there.
"""

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from kubeapi import host

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_STUCK = 5_000
"""So many turns in one second are a loop that waits for nothing."""
_TICK_SECONDS = 0.0001
"""The shortest wait: on a real machine time goes on by itself."""


class Killed(BaseException):
    """The process of this thread is gone; not an `Exception`, so that no program survives it."""


class Stuck(Exception):
    """Time does not go on: somebody is busy without waiting."""


class _Thread:
    """A thread that runs while it has the turn."""

    def __init__(self, process: "Process | None") -> None:
        self.process = process
        self.baton = threading.Lock()
        self.baton.acquire()
        self.turns = 0
        """How often it was given the turn: what was arranged for an earlier wait is void."""


class Timeline:
    """What happens, in order of time and then of arrangement."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], _Thread | None]]] = []
        self._order = itertools.count()
        self._main, self._nobody = _Thread(None), _Thread(None)
        self.current = self._main
        """Who has the turn; nobody while callbacks are called."""
        self._failure: BaseException | None = None
        self._second = 0
        self._turns = 0

    @property
    def wall(self) -> datetime:
        """The time of day of a clock that is right."""
        return EPOCH + timedelta(seconds=self.now)

    @property
    def stamp(self) -> str:
        """The same as RFC 3339, as the API server writes it."""
        return self.wall.isoformat(timespec="seconds").replace("+00:00", "Z")

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Have `act` done so many seconds from now."""

        def callback() -> None:
            act()

        self._arrange(self.now + max(seconds, 0.0), callback)

    def run(self, seconds: float) -> None:
        """Let so many seconds pass; raises what a callback raised."""
        self.sleep(seconds)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def sleep(self, seconds: float) -> None:
        """Give the turn up for so many seconds."""
        self.resume(self.current, seconds)
        self.give_turn()

    def resume(self, thread: _Thread, seconds: float = 0.0) -> None:
        """Give a thread the turn then, unless it has it before."""
        turn = thread.turns

        def wake() -> _Thread | None:
            if thread.turns != turn:
                return None
            if thread.process and thread.process.is_paused:
                thread.process.held.add(thread)
                return None
            return thread

        self._arrange(self.now + seconds, wake)

    def give_turn(self) -> None:
        """Give the turn up until somebody gives it back."""
        me = self.current
        following = self._advance()
        if following is not me:
            following.baton.release()
            me.baton.acquire()
        self.current = me
        if me.process and me.process.dead:
            raise Killed

    def start(self, process: "Process", work: Callable[[], None]) -> None:
        """Run `work` on a thread of its own, from its first turn on."""
        thread = _Thread(process)
        process.threads.append(thread)

        def body() -> None:
            thread.baton.acquire()
            self.current = thread
            try:
                if not process.dead:
                    work()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test is to see it
                self._failure = error
                self.resume(self._main)
            process.threads.remove(thread)
            thread.turns += 1
            self._advance().baton.release()

        threading.Thread(target=body, daemon=True).start()
        self.resume(thread)

    def _advance(self) -> _Thread:
        """Do what is due until it is somebody's turn."""
        self.current = self._nobody
        while True:
            when, _, act = heapq.heappop(self._due)
            self.now = max(when, self.now)
            try:
                if thread := act():
                    self._see_progress()
            except Exception as error:  # noqa: BLE001 - it belongs to the test, not to this thread
                self._failure, thread = error, self._main
            if thread is not None:
                thread.turns += 1
                return thread

    def _see_progress(self) -> None:
        self._turns = self._turns + 1 if int(self.now) == self._second else 0
        self._second = int(self.now)
        if self._turns > _STUCK:
            self._turns = 0
            raise Stuck(f"at {self.now:.3f} s")

    def _arrange(self, when: float, act: Callable[[], _Thread | None]) -> None:
        heapq.heappush(self._due, (when, next(self._order), act))


class Process:
    """A program's host: its threads live, pause and die together."""

    def __init__(self, timeline: Timeline, name: str) -> None:
        self.name = name
        self.threads: list[_Thread] = []
        self.dead = False
        self.held: set[_Thread] = set()
        """Whose turn came during a pause."""
        self.paused_until = 0.0
        self.skew_seconds = 0.0
        """By how much the clock on its wall is wrong."""
        self.on_death: Callable[[], None] = lambda: None
        self._timeline = timeline

    def monotonic(self) -> float:
        """Seconds since some moment before anything happened."""
        return 1000.0 + self._timeline.now

    def now(self) -> datetime:
        """What the clock on its wall shows."""
        return self._timeline.wall + timedelta(seconds=self.skew_seconds)

    def flag(self) -> host.Flag:
        """A flag of virtual time."""
        return Flag(self._timeline)

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` beside the rest."""
        self._timeline.start(self, work)

    def each(
        self, work: Callable[[host.T], host.R], items: Sequence[host.T], *, at_once: int
    ) -> list[host.R]:
        """What `work` gives for every item, one after the other: calls take no time here."""
        assert at_once > 0
        return [work(item) for item in items]

    def pause(self, seconds: float) -> None:
        """Stand still for so long, as a process that gets no processor does."""
        self.paused_until = max(self.paused_until, self._timeline.now + seconds)
        self._timeline.after(self.paused_until - self._timeline.now, self.go_on)

    @property
    def is_paused(self) -> bool:
        """Whether it stands still now."""
        return self._timeline.now < self.paused_until

    def go_on(self) -> None:
        """Give held threads their turns once no pause is left."""
        if not self.is_paused:
            for thread in sorted(self.held, key=self.threads.index):
                self._timeline.resume(thread)
            self.held.clear()

    def end_pause(self) -> None:
        """Go on now."""
        self.paused_until = min(self.paused_until, self._timeline.now)
        self.go_on()

    def kill(self) -> None:
        """End every thread at its next turn, which is now; what it was about to do is not done."""
        if self.dead:
            return
        self.dead = True
        self.end_pause()
        self.on_death()
        for thread in self.threads:
            if thread is not self._timeline.current:
                self._timeline.resume(thread)


class Flag:
    """`threading.Event` in virtual time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._set = False
        self._waiting: dict[_Thread, bool] = {}
        """Who waits, and whether it was told."""

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """Set it: whoever waits goes on."""
        self._set = True
        for thread, told in self._waiting.items():
            if not told:
                self._waiting[thread] = True
                self._timeline.resume(thread)

    def clear(self) -> None:
        """Take it back."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most `timeout` seconds; whether it is."""
        if self._set:
            return True
        me = self._timeline.current
        self._waiting[me] = False
        if timeout is not None:
            self._timeline.resume(me, max(timeout, _TICK_SECONDS))
        try:
            self._timeline.give_turn()
        finally:
            told = self._waiting.pop(me)
        return told
