"""What every part of the simulated cluster stands on: time, store, chance."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from kubeapi import api, objects
from tests.simulation import memory, virtual_time


@dataclass
class World:
    """One simulated cluster's time, objects and dice."""

    timeline: virtual_time.Timeline
    memory: memory.Memory
    random: Random

    @classmethod
    def of_seed(cls, seed: int) -> "World":
        """A world at its beginning."""
        timeline = virtual_time.Timeline()
        return cls(timeline, memory.Memory(timeline), Random(seed))

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.timeline.now

    def between(self, least: float, most: float) -> float:
        """A number of seconds."""
        return self.random.uniform(least, most)

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Have `act` done then."""
        self.timeline.after(seconds, act)

    def condition(self, kind: str, status: str, reason: str = "", message: str = "") -> api.Object:
        """A condition that began now."""
        told = {"reason": reason, "message": message, "lastTransitionTime": self.timeline.stamp}
        return {"type": kind, "status": status, **told}


def with_conditions(item: api.Object, *fresh: api.Object, **status: Any) -> api.Object:
    """The object with these conditions for those of their types, and these status fields."""
    before = item.get("status", {})
    kinds = {condition["type"] for condition in fresh}
    kept = [c for c in before.get("conditions", ()) if c["type"] not in kinds]
    return {**item, "status": {**before, **status, "conditions": [*kept, *fresh]}}


def condition(item: api.Object, kind: str) -> api.Object:
    """The condition of that type; empty when there is none."""
    return objects.condition(item.get("status") or {}, kind)


class Kicked:
    """Something that is done once, a moment after one or many reasons to do it."""

    def __init__(self, world: World, act: Callable[[], object], delay: tuple[float, float]) -> None:
        self._world = world
        self._act = act
        self._delay = delay
        self._due = False

    def kick(self) -> None:
        """Give a reason."""
        if not self._due:
            self._due = True
            self._world.after(self._world.between(*self._delay), self._do)

    def _do(self) -> None:
        self._due = False
        self._act()
