"""Time that passes only when everybody waits, and threads that take turns."""

import threading
from functools import partial

import pytest

from tests.simulation import virtual_time


@pytest.fixture
def timeline() -> virtual_time.Timeline:
    return virtual_time.Timeline()


@pytest.fixture
def process(timeline: virtual_time.Timeline) -> virtual_time.Process:
    return virtual_time.Process(timeline, "p")


def test_what_is_due_happens_in_order_and_at_its_time(timeline: virtual_time.Timeline) -> None:
    seen: list[tuple[str, float]] = []
    for name, at in (("late", 7200.0), ("first", 1.0), ("second", 1.0)):
        timeline.after(at, lambda name=name: seen.append((name, timeline.now)))  # type: ignore[misc]  # the default binds the loop's value
    timeline.run(3600.0)
    assert seen == [("first", 1.0), ("second", 1.0)]
    timeline.run(3600.0)
    assert seen[2:] == [("late", 7200.0)]


def test_a_thread_waits_for_a_flag_or_for_its_time(
    timeline: virtual_time.Timeline, process: virtual_time.Process
) -> None:
    flag, seen = process.flag(), list[tuple[bool, float]]()

    def wait() -> None:
        for timeout in (2.0, 50.0):
            seen.append((flag.wait(timeout), timeline.now))

    process.start(wait)
    timeline.after(10.0, flag.set)
    timeline.run(100.0)
    assert seen == [(False, 2.0), (True, 10.0)]


def test_threads_take_turns_in_the_same_order_every_time() -> None:
    def story() -> list[tuple[int, float]]:
        timeline, told = virtual_time.Timeline(), list[tuple[int, float]]()
        process = virtual_time.Process(timeline, "p")

        def tell(number: int) -> None:
            for _ in range(20):
                process.flag().wait(0.5 * (number % 3))
                told.append((number, timeline.now))

        for number in range(6):
            process.start(partial(tell, number))
        timeline.run(60.0)
        return told

    first = story()
    assert len(first) == 120
    assert first == story()


def test_a_killed_process_does_nothing_more_and_its_threads_end(
    timeline: virtual_time.Timeline, process: virtual_time.Process
) -> None:
    seen: list[float] = []

    def work() -> None:
        while True:
            process.flag().wait(1.0)
            seen.append(timeline.now)

    before = threading.active_count()
    process.start(work)
    timeline.after(3.5, process.kill)
    timeline.run(10.0)
    assert (seen, process.threads) == ([1.0, 2.0, 3.0], [])
    assert threading.active_count() <= before + 1  # the last one may still be on its way out


def test_a_paused_process_stands_still_and_then_goes_on(
    timeline: virtual_time.Timeline, process: virtual_time.Process
) -> None:
    seen: list[float] = []

    def work() -> None:
        for _ in range(3):
            process.flag().wait(1.0)
            seen.append(timeline.now)

    process.start(work)
    timeline.after(1.5, lambda: process.pause(20.0))
    timeline.run(60.0)
    assert seen == [1.0, 21.5, 22.5]


def test_a_loop_that_waits_for_nothing_is_found(
    timeline: virtual_time.Timeline, process: virtual_time.Process
) -> None:
    def spin() -> None:
        while True:
            process.flag().wait(0.0)

    process.start(spin)
    with pytest.raises(virtual_time.Stuck):
        timeline.run(10.0)
    process.kill()
    timeline.run(0.0)


def test_what_fails_beside_the_test_fails_the_test(
    timeline: virtual_time.Timeline, process: virtual_time.Process
) -> None:
    def fail() -> None:
        raise ValueError("a bug")

    timeline.after(1.0, fail)
    with pytest.raises(ValueError, match="a bug"):
        timeline.run(2.0)
    process.start(fail)
    with pytest.raises(ValueError, match="a bug"):
        timeline.run(2.0)
