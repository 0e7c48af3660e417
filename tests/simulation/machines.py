"""Machines: they boot, register their Nodes, show GPUs, flap, die; with or without a provider."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from kubeapi import api
from tests.simulation import claims, scheduling, world


class Fate(Protocol):
    """What is to become of a machine."""

    dud: float
    gpuless: float
    gpu_seconds: float


@dataclass
class Machine:
    """One machine, bought or of one's own."""

    uid: str
    """Of the claim that ordered it; its own name when it was never bought."""
    node: str
    kind: str
    gpus: int
    ordered_at: float
    alive: bool = True
    draining_since: float | None = None


class Machines:
    """Every machine that there is."""

    def __init__(self, of: world.World) -> None:
        self._world = of
        self._all: dict[str, Machine] = {}

    def of(self, claim: api.Object) -> Machine | None:
        """The machine that a claim ordered."""
        return self._all.get(claim["metadata"]["uid"])

    def running(self) -> list[Machine]:
        """Machines that cost money."""
        return [machine for machine in self._all.values() if machine.alive]

    def order(self, claim: api.Object, gpus: int, fate: Fate) -> None:
        """Have a machine booted for a claim."""
        uid, kind = claim["metadata"]["uid"], claims.read(claim).offer[0]
        taints = [
            *claim["spec"].get("taints", ()),
            {"key": scheduling.UNREGISTERED, "effect": "NoExecute"},
        ]
        machine = Machine(uid, f"vm-{uid}", kind, gpus, self._world.now)
        self._all[uid] = machine
        if not fate.dud:
            boot, gpu_seconds = (
                self._world.between(10, 90),
                None if fate.gpuless else fate.gpu_seconds,
            )
            self._world.after(boot, partial(self._join, machine, taints, gpu_seconds))

    def add_own(self, name: str, kind: str, gpus: int) -> None:
        """A node that nobody bought."""
        machine = Machine(name, name, kind, gpus, self._world.now)
        self._all[name] = machine
        self._join(machine, [], 1.0)

    def end(self, machine: Machine) -> None:
        """Switch it off for good; its Node goes with it."""
        machine.alive = False
        self._world.memory.remove("nodes", machine.node)

    def die(self, machine: Machine) -> None:
        """Fall silent and stay so: the Node remains, not Ready."""
        machine.alive = False
        self.set_ready(machine, ready=False)

    def flap(self, machine: Machine, seconds: float) -> None:
        """Be away for a while."""
        if machine.alive:
            self.set_ready(machine, ready=False)
            self._world.after(seconds, partial(self._recover, machine))

    def cordon(self, machine: Machine, seconds: float) -> None:
        """Let no pods in for a while."""
        self._set_cordon(machine, cordoned=True)
        self._world.after(seconds, partial(self._set_cordon, machine, cordoned=False))

    def uncordon_all(self) -> None:
        """Let pods in everywhere but where a drain is under way."""
        for machine in self.running():
            self._set_cordon(machine, cordoned=False)

    def set_ready(self, machine: Machine, *, ready: bool) -> None:
        """Change the Ready condition of its Node, if it has one."""
        if node := self._world.memory.get("nodes", machine.node):
            fresh = self._world.condition("Ready", str(ready))
            self._world.memory.put("nodes", world.with_conditions(node, fresh))

    def _set_cordon(self, machine: Machine, *, cordoned: bool) -> None:
        node = self._world.memory.get("nodes", machine.node)
        if node and machine.draining_since is None:
            spec = {**node["spec"], "unschedulable": cordoned}
            self._world.memory.put("nodes", {**node, "spec": spec})

    def _recover(self, machine: Machine) -> None:
        if machine.alive:
            self.set_ready(machine, ready=True)

    def _join(self, machine: Machine, taints: list[api.Object], gpu_seconds: float | None) -> None:
        if not machine.alive:
            return
        node = {
            "metadata": {"name": machine.node, "labels": {claims.INSTANCE_TYPE: machine.kind}},
            "spec": {"taints": taints, "providerID": machine.uid},
            "status": {"allocatable": {"cpu": "8"}},
        }
        fresh = self._world.condition("Ready", "False")
        self._world.memory.put("nodes", world.with_conditions(node, fresh))
        ready = self._world.between(0.5, 10)
        self._world.after(ready, partial(self._recover, machine))
        if gpu_seconds is not None:
            self._world.after(ready + gpu_seconds, partial(self._show_gpus, machine))

    def _show_gpus(self, machine: Machine) -> None:
        node = self._world.memory.get("nodes", machine.node)
        if node and machine.alive:
            there = {**node["status"]["allocatable"], "nvidia.com/gpu": str(machine.gpus)}
            self._world.memory.put(
                "nodes", {**node, "status": {**node["status"], "allocatable": there}}
            )
