"""A whole simulated cluster: users' workloads, Kubernetes, a cloud, and the real planner."""

from collections import Counter
from collections.abc import Callable

from node_provisioner import loop
from tests.simulation import (
    audit,
    cloud,
    machines,
    memory,
    programs,
    scheduling,
    workloads,
    world,
)


class Cluster:
    """Everything of one run, joined; nothing happens before time passes."""

    def __init__(self, seed: int, planner: type[loop.Planner] = loop.Planner) -> None:
        self.world = world.World.of_seed(seed)
        self.faults = memory.Faults()
        self.fleet = machines.Machines(self.world)
        self.audit = audit.Audit(self.world, self.fleet)
        self.cloud = cloud.Cloud(self.world, self.fleet)
        self.scheduler = scheduling.Scheduler(self.world)
        self.kubelets = scheduling.Kubelets(self.world)
        self.workloads = workloads.Workloads(self.world)
        self.planners = programs.Planners(self.world, self.faults, self.audit, make=planner)
        self._lasting: Counter[str] = Counter()

    def managed(self) -> list[str]:
        """Names of the workloads that carry our label."""
        return [key for key, workload in self.workloads.all.items() if workload.managed]

    def bought(self) -> list[machines.Machine]:
        """Machines of claims that run."""
        return [machine for machine in self.fleet.running() if machine.uid != machine.node]

    def until(self, seconds: float, what: str, end: Callable[[], object]) -> None:
        """Have `end` done then, unless the same began anew in between."""
        self._lasting[what] += 1
        turn = self._lasting[what]

        def stop() -> None:
            if self._lasting[what] == turn:
                end()

        self.world.after(seconds, stop)

    def end_namespace(self, name: str) -> None:
        """Delete a namespace: its workloads go, and nothing can be created in it."""
        self.world.memory.terminating.add(name)
        for key in [key for key in self.workloads.all if key.startswith(f"{name}/")]:
            self.workloads.delete(key)

    def stop_faults(self) -> None:
        """Let everything work from now on; what was broken before stays broken."""
        self.faults.refused = self.faults.lost = 0.0
        self.faults.lag_seconds = 0.01
        self.cloud.mood, self.cloud.stuck = cloud.Mood(), False
        self.cloud.out_of.clear()
        self.cloud.restart()
        self.scheduler.extender_back()
        self.world.memory.terminating.clear()
        self.fleet.uncordon_all()
        for key in sorted(set(self.workloads.all) - set(self.managed())):
            self.workloads.delete(key)
        for running in self.planners.running.values():
            running.connection.crash_after = None
            running.process.end_pause()
        self.planners.start(0)
