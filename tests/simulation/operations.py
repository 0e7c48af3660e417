"""What users, operators and bad luck do to the cluster: values drawn from a seed, in order of time.

Each stands alone and means something whatever was done before it, so that any of them can be left
out: that is how a failing run is made small.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from presets import provision_spec
from tests.simulation import cloud, cluster, scheduling, workloads

_ON_DEMAND, _BOTH = ("on-demand",), ("spot", "on-demand")
SPECS = (
    provision_spec.ProvisionSpec(("Standard_NC6s_v3",), 1),
    provision_spec.ProvisionSpec(("Standard_NC6s_v3", "Standard_NC24ads_A100_v4"), 1),
    provision_spec.ProvisionSpec(("Standard_NC6s_v3",), 1, capacity_types=_BOTH),
    provision_spec.ProvisionSpec(("Standard_NC12s_v3", "Standard_NC24s_v3"), 2),
    provision_spec.ProvisionSpec(("Standard_NC24s_v3",), 1),
    provision_spec.ProvisionSpec(("Standard_NC24s_v3",), 4),
)
OFFERS = tuple((kind, capacity) for kind in cloud.GPUS for capacity in _BOTH)
NAMESPACES = ("default", "team-b")


@dataclass(frozen=True)
class Operation:
    """Something that happens at a moment."""

    at: float
    kind: str
    which: int
    """Chooses among what there is then."""
    size: int
    seconds: float
    """How long it lasts, where it ends by itself."""


T = TypeVar("T")
Act = Callable[[cluster.Cluster, Operation], None]


def generate(seed: int, *, faults: bool = True) -> list[Operation]:
    """The operations of a seed: episodes of demand, amid faults unless there are to be none."""
    random = Random(f"operations {seed}")
    span = random.choice((300.0, 1200.0, 3600.0))
    drawn = [_draw(random, 0.0, ("create",))]
    for _ in range(random.randint(3, 12)):
        start = random.uniform(0.0, span)
        bad, asked = random.randint(0, 2) if faults else 0, random.randint(1, 3)
        drawn += [_draw(random, start + random.uniform(0.0, 10.0), FAULTS) for _ in range(bad)]
        drawn += [_draw(random, start + random.uniform(0.0, 30.0), DEMAND) for _ in range(asked)]
    return sorted(drawn, key=lambda operation: operation.at)


def _draw(random: Random, at: float, kinds: Iterable[str]) -> Operation:
    return Operation(
        at=round(at, 3),
        kind=random.choice(tuple(kinds)),
        which=random.getrandbits(16),
        size=random.choice((0, 1, 1, 2, 3, 4, 6, 10)),
        seconds=round(random.choice((2.0, 20.0, 90.0, 400.0)) * random.uniform(0.5, 1.5), 3),
    )


def apply(operation: Operation, to: cluster.Cluster) -> None:
    """Do it."""
    {**DEMAND, **FAULTS}[operation.kind](to, operation)


# Demand.


def _create(of: cluster.Cluster, op: Operation) -> None:
    spec = SPECS[op.which % len(SPECS)]
    namespace = NAMESPACES[op.which // 7 % 4 == 0]
    runs = op.seconds if op.which // 31 % 4 == 0 else None
    workload = workloads.Workload(namespace, f"w{op.which % 9}", spec, max(op.size, 1))
    workload.gated, workload.runs_seconds = op.which // 13 % 5 == 0, runs
    of.workloads.create(workload)


def _stranger(of: cluster.Cluster, op: Operation) -> None:
    """A GPU pod that is not ours takes what it finds, and goes."""
    spec = provision_spec.ProvisionSpec(("any",), 1)
    workload = workloads.Workload("team-b", f"s{op.which % 3}", spec, 1, managed=False)
    of.workloads.create(workload)
    of.world.after(op.seconds, lambda: of.workloads.delete(f"team-b/{workload.name}"))


def _scale(of: cluster.Cluster, op: Operation) -> None:
    if chosen := _one(of.managed(), op):
        of.workloads.scale(chosen, op.size)


def _delete(of: cluster.Cluster, op: Operation) -> None:
    if chosen := _one(of.managed(), op):
        of.workloads.delete(chosen)


def _roll_out(of: cluster.Cluster, op: Operation) -> None:
    if chosen := _one(of.managed(), op):
        of.workloads.roll_out(chosen)


def _delete_pod(of: cluster.Cluster, op: Operation) -> None:
    if pod := _one(of.world.memory.all("pods"), op):
        scheduling.delete_pod(of.world, pod)


def _own_node(of: cluster.Cluster, op: Operation) -> None:
    kind = OFFERS[op.which % len(OFFERS)][0]
    of.fleet.add_own(f"own-{op.which % 5}", kind, cloud.GPUS[kind])


# Faults.


def _kill(of: cluster.Cluster, op: Operation) -> None:
    of.planners.kill(op.which % 2, op.seconds)


def _crash(of: cluster.Cluster, op: Operation) -> None:
    of.planners.crash(op.which % 2, op.size, op.seconds)


def _pause(of: cluster.Cluster, op: Operation) -> None:
    if running := of.planners.running.get(op.which % 2):
        running.process.pause(op.seconds)


def _second(of: cluster.Cluster, op: Operation) -> None:
    of.planners.start(1)
    of.world.after(op.seconds * 5, lambda: of.planners.stop(1))


def _clock_jump(of: cluster.Cluster, op: Operation) -> None:
    if running := of.planners.running.get(op.which % 2):
        running.process.skew_seconds += (op.size - 2) * 3600.0


def _storm(of: cluster.Cluster, op: Operation) -> None:
    of.faults.refused, of.faults.lost = (0.3, 0.1) if op.size < 3 else (0.95, 0.02)
    of.until(op.seconds, "storm", lambda: vars(of.faults).update(refused=0.0, lost=0.0))


def _lag(of: cluster.Cluster, op: Operation) -> None:
    of.faults.lag_seconds = min(5.0 * max(op.size, 1), 30.0)
    of.until(op.seconds, "lag", lambda: vars(of.faults).update(lag_seconds=0.01))


def _break_watches(of: cluster.Cluster, _: Operation) -> None:
    of.world.memory.break_watches()


def _compact(of: cluster.Cluster, _: Operation) -> None:
    of.world.memory.compact()


def _provider_down(of: cluster.Cluster, op: Operation) -> None:
    of.cloud.up = False
    of.until(op.seconds * 3, "provider", of.cloud.restart)


def _out_of_capacity(of: cluster.Cluster, op: Operation) -> None:
    gone = OFFERS if op.size > 4 else OFFERS[op.which % 4 :: 4]
    of.cloud.out_of.update(gone)
    of.world.after(op.seconds * 5, lambda: of.cloud.out_of.difference_update(gone))


def _bad_mood(of: cluster.Cluster, op: Operation) -> None:
    moods = (
        {"class_missing": True},
        {"texts": True},
        {"mute": 0.5},
        {"dud": 0.5},
        {"gpuless": 0.5},
        {"leak": 0.7},
        {"gpu_seconds": 600.0},
    )
    vars(of.cloud.mood).update(moods[op.which % len(moods)])
    of.until(op.seconds * 3, "mood", lambda: setattr(of.cloud, "mood", cloud.Mood()))


def _stuck_finalizers(of: cluster.Cluster, op: Operation) -> None:
    of.cloud.stuck = True
    of.until(op.seconds * 3, "stuck", lambda: setattr(of.cloud, "stuck", False))


def _flap(of: cluster.Cluster, op: Operation) -> None:
    if machine := _one(of.fleet.running(), op):
        of.fleet.flap(machine, op.seconds)


def _die(of: cluster.Cluster, op: Operation) -> None:
    if machine := _one(of.bought(), op):
        of.fleet.die(machine)


def _evict_spot(of: cluster.Cluster, op: Operation) -> None:
    if machine := _one(of.bought(), op):
        of.fleet.end(machine)


def _delete_claim(of: cluster.Cluster, op: Operation) -> None:
    if claim := _one(of.world.memory.all("nodeclaims"), op):
        of.cloud.delete(claim)


def _cordon(of: cluster.Cluster, op: Operation) -> None:
    if machine := _one(of.fleet.running(), op):
        of.fleet.cordon(machine, op.seconds)


def _end_namespace(of: cluster.Cluster, op: Operation) -> None:
    of.end_namespace("team-b")
    of.world.after(op.seconds, lambda: of.world.memory.terminating.discard("team-b"))


def _extender_down(of: cluster.Cluster, op: Operation) -> None:
    of.scheduler.extender_down = True
    of.until(op.seconds, "extender", of.scheduler.extender_back)


DEMAND: dict[str, Act] = {
    "create": _create,
    "stranger": _stranger,
    "scale": _scale,
    "delete": _delete,
    "roll out": _roll_out,
    "delete pod": _delete_pod,
    "own node": _own_node,
}
FAULTS: dict[str, Act] = {
    "kill": _kill,
    "crash": _crash,
    "pause": _pause,
    "second planner": _second,
    "clock jump": _clock_jump,
    "storm": _storm,
    "lag": _lag,
    "break watches": _break_watches,
    "compact": _compact,
    "provider down": _provider_down,
    "out of capacity": _out_of_capacity,
    "bad mood": _bad_mood,
    "stuck finalizers": _stuck_finalizers,
    "flap": _flap,
    "die": _die,
    "evict spot": _evict_spot,
    "delete claim": _delete_claim,
    "cordon": _cordon,
    "end namespace": _end_namespace,
    "extender down": _extender_down,
}


def _one(among: list[T], op: Operation) -> T | None:
    return among[op.which % len(among)] if among else None
