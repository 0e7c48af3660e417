"""When a program looks, in virtual time."""

from collections.abc import Callable

import pytest

from kubeapi import passes
from tests.simulation import virtual_time

_IDLE, _LONGEST = 0.2, 2.0


class _Looks:
    """When a program that keeps nothing made its passes, in seconds."""

    def __init__(self) -> None:
        self.timeline = virtual_time.Timeline()
        self.host = virtual_time.Process(self.timeline, "program")
        self.passes = passes.Passes(self.host, idle_seconds=_IDLE, longest_seconds=_LONGEST)
        self.at: list[float] = []
        self.pressed: list[bool] = []
        stop = self.host.flag()
        self.host.start(lambda: self.passes.run(self._look, (), stop))

    def _look(self) -> None:
        self.at.append(round(self.timeline.now, 3))
        self.pressed.append(self.passes.is_pressed)

    def every_tenth(self, act: Callable[[], None], count: int) -> None:
        for n in range(count):
            self.timeline.after(n / 10 + 0.001, act)


@pytest.fixture
def looks() -> _Looks:
    return _Looks()


def test_a_burst_is_looked_at_once_when_it_is_over(looks: _Looks) -> None:
    looks.every_tenth(looks.passes.wake, 5)
    looks.timeline.run(10.0)
    assert looks.at == [pytest.approx(0.4 + _IDLE, abs=0.01)]


def test_a_burst_that_does_not_end_is_looked_at_all_the_same(looks: _Looks) -> None:
    looks.every_tenth(looks.passes.wake, 30)
    looks.timeline.run(10.0)
    assert looks.at[0] == pytest.approx(_LONGEST, abs=0.01)


def test_what_makes_no_burst_is_seen_by_the_way_and_holds_nothing_up(looks: _Looks) -> None:
    """A pod that waits while nodes and claims change all the time: 0.2 s, not 2."""
    looks.every_tenth(looks.passes.note, 30)
    looks.timeline.after(0.0, looks.passes.wake)
    looks.timeline.run(10.0)
    assert looks.at[0] == pytest.approx(_IDLE, abs=0.01)
    assert looks.at[-1] == pytest.approx(2.9 + _IDLE, abs=0.1)
    assert not any(looks.pressed), "and nothing is put off for it"


def test_a_change_during_a_pass_leads_to_another(looks: _Looks) -> None:
    looks.timeline.after(0.0, looks.passes.wake)
    looks.timeline.after(1.0, looks.passes.note)
    looks.timeline.run(10.0)
    assert len(looks.at) == 2
