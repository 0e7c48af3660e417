"""The planners of a simulation: the real program on virtual hosts."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from kubeapi import api, host
from node_provisioner import loop, settings
from tests.simulation import audit, memory, virtual_time, world


@dataclass
class Running:
    """One process."""

    process: virtual_time.Process
    connection: memory.Connection
    planner: loop.Planner
    stop: host.Flag


@dataclass
class Planners:
    """Replicas of the planner, by number; a killed one is started again after a while."""

    world: world.World
    faults: memory.Faults
    audit: audit.Audit
    chosen: settings.Settings = field(default_factory=settings.Settings)
    make: type[loop.Planner] = loop.Planner
    elected: bool = False
    """Whether they elect a leader: needless for one alone, and a thousand calls an hour."""
    running: dict[int, Running] = field(default_factory=dict)
    ended: list[memory.Connection] = field(default_factory=list)
    wanted: set[int] = field(default_factory=set)
    starts: int = 0

    def start(self, number: int) -> None:
        """Start a replica, if it does not run."""
        self.wanted.add(number)
        if number in self.running:
            return
        self.starts += 1
        of = self.world
        process = virtual_time.Process(of.timeline, f"planner-{number}.{self.starts}")
        random = Random(of.random.getrandbits(64))
        connection = memory.Connection(
            of.memory, of.timeline, process, self.faults, random, self.audit
        )
        lease = ("kube-system", "plainsail-node-provisioner") if self.elected else None
        chosen = replace(self.chosen, lease=lease, identity=process.name)
        planner = self.make(connection, chosen, process)
        setattr(planner, "run_pass", partial(self._pass, planner.run_pass))  # noqa: B010 - a method
        running = Running(process, connection, planner, process.flag())
        self.running[number] = running
        process.start(partial(planner.run, running.stop))

    def stop(self, number: int) -> None:
        """End a replica for good."""
        self.wanted.discard(number)
        self.kill(number, 0.0)

    def kill(self, number: int, down_seconds: float) -> None:
        """End a replica as SIGKILL does; it comes back after so long."""
        if running := self.running.pop(number, None):
            self.ended.append(running.connection)
            running.process.kill()
            self.world.after(down_seconds, partial(self._again, number))

    def crash(self, number: int, writes: int, down_seconds: float) -> None:
        """Have a replica die right after so many more of its writes, before it sees the answer."""
        if running := self.running.get(number):
            running.connection.crash_after = writes
            running.process.on_death = partial(self.kill, number, down_seconds)

    def end(self) -> list[memory.Connection]:
        """Stop everything; every connection that there was."""
        for number in list(self.running):
            self.stop(number)
        self.world.timeline.run(0.0)
        return self.ended

    def _pass(self, run_pass: Callable[[], float | None]) -> float | None:
        try:
            return run_pass()
        except api.ApiError:
            raise
        except Exception as error:  # our bug: noted for the audit, and raised again
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.audit.complain("bug", f"{error!r} at {where.filename}:{where.lineno}")
            raise

    def _again(self, number: int) -> None:
        if number in self.wanted:
            self.start(number)
