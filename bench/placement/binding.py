"""Pods through kube-scheduler and extender: how many a second, and how soon after the node."""

import itertools
import time
from collections.abc import Iterator

from bench.placement import cluster
from bench.report import Figure
from deploy.local import claims

NODES, GPUS = 1000, 4
LARGE = 8
"""GPUs of a pod that no other node is large enough for: the extender is not asked about it."""
PODS = 600
ROUNDS = 3
ARRIVALS = 12


def run(plane: cluster.Plane) -> list[Figure]:
    """Bulk with and without the extender, in turns; then single nodes that become ready."""
    plane.create("/api/v1/nodes", [cluster.node(n, GPUS) for n in range(NODES)])
    rates: dict[bool, list[float]] = {True: [], False: []}
    with plane.extender():
        for _ in range(ROUNDS):
            for marked, found in rates.items():
                found.append(_bulk(plane, marked=marked))
        refused, late = _arrivals(plane)
    title = f"pods a second, {NODES:,} nodes"
    return [
        Figure(f"{title}: scheduler and extender", "1/s", tuple(rates[True]), ">= 100"),
        Figure(f"{title}: the scheduler alone", "1/s", tuple(rates[False])),
        Figure("GPU node ready to pod bound", "s", refused, "<= 0.5"),
        Figure("GPU reported late to pod bound, extender not asked before", "s", late, "<= 0.5"),
    ]


def _bulk(plane: cluster.Plane, *, marked: bool) -> float:
    """Pods bound a second, from the first to the last of a crowd that waits."""
    bodies = [cluster.pod(f"bulk-{i}", marked=marked) for i in range(PODS)]
    plane.create(cluster.PODS, bodies)
    version = plane.api.get(cluster.PODS)["metadata"]["resourceVersion"]
    with plane.scheduler():
        times = [at for at, _ in _bound(plane, version, PODS)]
    plane.remove([f"{cluster.PODS}/bulk-{i}" for i in range(PODS)])
    return (len(times) - 1) / (times[-1] - times[0])


def _arrivals(plane: cluster.Plane) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds from the node's GPUs and its claim's condition to the bound pod.

    First of pods that the extender keeps from the other nodes, whose claims are made to be on
    their way; then of pods that those are too small for.
    """
    plane.create(claims.COLLECTION, [cluster.claim(number) for number in range(NODES)])
    numbers = itertools.count(NODES)
    with plane.scheduler():
        refused, late = (
            tuple(_arrival(plane, next(numbers), gpus) for _ in range(ARRIVALS))
            for gpus in (1, LARGE)
        )
    return refused, late


def _arrival(plane: cluster.Plane, number: int, gpus: int) -> float:
    name = f"arrival-{number}"
    plane.api.create(claims.COLLECTION, cluster.claim(number))
    plane.api.create(cluster.PODS, cluster.pod(name, gpus=gpus))
    cluster.wait(lambda: _is_refused(plane, name), "the refusal")
    bare = cluster.node(number, 0)
    plane.api.create("/api/v1/nodes", bare)
    version = plane.api.get(cluster.PODS)["metadata"]["resourceVersion"]
    ready = cluster.node(number, gpus)["status"]
    begun = time.perf_counter()
    plane.api.patch(f"/api/v1/nodes/{cluster.node_name(number)}/status", {"status": ready})
    status = f"{claims.COLLECTION}/{cluster.claim_name(number)}/status"
    plane.api.patch(status, cluster.initialized(number))
    ((at, node),) = _bound(plane, version, 1)
    if node != cluster.node_name(number):
        raise RuntimeError(f"bound to {node}")
    return at - begun


def _is_refused(plane: cluster.Plane, name: str) -> bool:
    found = plane.api.get(f"{cluster.PODS}/{name}")["status"].get("conditions", [])
    return any(c["type"] == "PodScheduled" and c["status"] == "False" for c in found)


def _bound(plane: cluster.Plane, version: str, count: int) -> Iterator[tuple[float, str]]:
    """When and where pods were bound, as a watch shows it."""
    seen: set[str] = set()
    for event in plane.api.watch(cluster.PODS, version, 120):
        now, pod = time.perf_counter(), event["object"]
        node = pod.get("spec", {}).get("nodeName")
        if event["type"] == "MODIFIED" and node and pod["metadata"]["uid"] not in seen:
            seen.add(pod["metadata"]["uid"])
            yield now, node
            if len(seen) == count:
                return
    raise RuntimeError(f"only {len(seen)} of {count} pods were bound")
