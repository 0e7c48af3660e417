"""What must hold once faults have stopped and the cluster has come to rest."""

from collections.abc import Iterator

from tests import api_store
from tests.simulation import claims, cluster, scheduling, workloads, world

_TOLD_SECONDS = 120.0
"""A planner that works tells a waiting pod within seconds; bursts and pauses are allowed for."""


def unfinished(of: cluster.Cluster) -> list[str]:
    """What is not yet as it must be: pods without a node, claims without a pod, rollouts."""
    return [*_unbound(of), *_silent(of), *_needless(of), *of.workloads.moving()]


def left_over(of: cluster.Cluster) -> list[str]:
    """I2: what is still there though nobody wants anything; machines that leaked are known."""
    pods = [api_store.key_of(pod["metadata"]) for pod in of.world.memory.all("pods")]
    bought = [c.name for c in map(claims.read, of.world.memory.all("nodeclaims")) if c.ours]
    machines = {machine.uid for machine in of.bought()} - of.cloud.leaked
    return [f"I2: {what} is left" for what in (*pods, *bought, *sorted(machines))]


def _unbound(of: cluster.Cluster) -> Iterator[str]:
    """I3: a managed pod waits though capacity can be had."""
    for pod in of.world.memory.all("pods"):
        if workloads.is_managed(pod) and scheduling.is_waiting(pod):
            reason = world.condition(pod, "PodScheduled").get("reason")
            yield f"I3: {api_store.key_of(pod['metadata'])} is unbound ({reason})"


def _silent(of: cluster.Cluster) -> Iterator[str]:
    """Pods on nodes that have fallen silent: they will be replaced."""
    for node in of.world.memory.all("nodes"):
        name = node["metadata"]["name"]
        if not scheduling.is_ready(node) and scheduling.pods_on(of.world, name):
            yield f"{name} is not Ready and has pods"


def _needless(of: cluster.Cluster) -> Iterator[str]:
    """I2: a claim that serves no pod, or that is not usable."""
    for claim in of.world.memory.all("nodeclaims"):
        view, machine = claims.read(claim), of.fleet.of(claim)
        if not view.ours:
            continue
        pods = scheduling.pods_on(of.world, machine.node) if machine else []
        if not any(scheduling.gpus(pod) for pod in pods if not scheduling.is_finished(pod)):
            state = "terminating" if view.ending else "kept"
            yield f"I2: {view.name} of {view.workload} is {state} without a pod"


def untold(of: cluster.Cluster) -> Iterator[str]:
    """I7: a pod that has been unschedulable for minutes and carries no event of ours."""
    told = {event["involvedObject"].get("uid") for event in of.world.memory.all("events")}
    for pod in of.world.memory.all("pods"):
        uid = pod["metadata"]["uid"]
        since = of.audit.unschedulable_at.get(uid, of.world.now)
        if workloads.is_managed(pod) and uid not in told and of.world.now - since > _TOLD_SECONDS:
            key = api_store.key_of(pod["metadata"])
            yield f"I7: {key} was told nothing in {of.world.now - since:.0f} s"
