"""What a plan costs beside the best that there is, found by trying everything.

The best keeps what users ask for: every bought node is the first choice of a workload on it, as
the first instance type of a list that can be had wins. Within that it may put pods of several
workloads on one node, and pods on nodes that are there. Lists begin with the cheapest, as admission
writes them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from node_provisioner import demand, limits, offerings, plan, supply, views
from presets import provision_spec
from tests.node_provisioner import objects

_GPU = "nvidia.com/gpu"
_TYPES = ("g4dn.xlarge", "g4dn.12xlarge", "g5.xlarge", "g5.12xlarge", "g5.48xlarge", "p3.8xlarge")


@dataclass(frozen=True)
class _Node:
    kind: str
    left: int
    price: int
    chosen: bool
    """It is the first choice of a pod on it, or was there before."""


def _best(pods: Sequence[views.PodView], nodes: tuple[_Node, ...], bought: int = 0) -> int:
    """Microdollars an hour of the cheapest way to place `pods` in `nodes` and new ones."""
    if not pods:
        return bought if all(node.chosen for node in nodes) else _NEVER
    pod, rest = pods[0], pods[1:]
    return min(
        (_best(rest, after, bought + price) for after, price in _ways(pod, nodes)), default=_NEVER
    )


_NEVER = 10**15


def _ways(pod: views.PodView, nodes: tuple[_Node, ...]) -> Iterator[tuple[tuple[_Node, ...], int]]:
    assert pod.spec is not None
    first = next(o for o in offerings.offers(pod.spec, pod.rules)).instance_type
    new = [_new(kind) for kind in pod.spec.instance_types if offerings.gpus(kind, 0)]
    for node in dict.fromkeys([*nodes, *new]):
        if node.kind not in pod.spec.instance_types or node.left < pod.spec.gpus:
            continue
        used = _Node(node.kind, node.left - pod.spec.gpus, 0, node.chosen or node.kind == first)
        if node in nodes:
            at = nodes.index(node)
            yield (*nodes[:at], used, *nodes[at + 1 :]), 0
        else:
            yield (*nodes, used), node.price


def _new(kind: str) -> _Node:
    price = offerings.Offer(kind, "on-demand").per_hour
    assert price is not None
    return _Node(kind, offerings.gpus(kind, 0), price, chosen=False)


def _pods(rng: random.Random, workload: str, count: int) -> list[views.PodView]:
    gpus = rng.choice((1, 1, 2, 4))
    able = [name for name in _TYPES if offerings.gpus(name, 0) >= gpus]
    chosen = rng.sample(able, rng.randrange(1, min(4, len(able)) + 1))
    types = tuple(sorted(chosen, key=lambda name: _new(name).price))
    spec = provision_spec.ProvisionSpec(types, gpus)
    owner = {"kind": "StatefulSet", "name": workload, "controller": True}
    meta = {"ownerReferences": [owner]}
    return [objects.pod_view(f"{workload}{i}", spec=spec, metadata=meta) for i in range(count)]


def _ratio(pods: list[views.PodView], rng: random.Random) -> float:
    kinds = [rng.choice(_TYPES) for _ in range(rng.randrange(3))]
    free = [rng.randrange(1, offerings.gpus(kind, 0) + 1) for kind in kinds]
    bins = [
        supply.Bin(f"ws{i}", "", kind, _GPU, left)
        for i, (kind, left) in enumerate(zip(kinds, free, strict=True))
    ]
    decided = plan.plan(demand.unmet(pods), bins, limits.Limits(100), plan.Past())
    cost = sum(claim.offer.per_hour or _NEVER for claim in decided.create)
    there = tuple(_Node(kind, left, 0, chosen=True) for kind, left in zip(kinds, free, strict=True))
    best = _best(pods, there)
    return cost / best if best else 1.0 + cost


@pytest.mark.parametrize("seed", range(200))
def test_a_single_workload_never_costs_more_than_the_best(seed: int) -> None:
    rng = random.Random(seed)
    assert _ratio(_pods(rng, "a", rng.randrange(1, 6)), rng) == 1.0


@pytest.mark.parametrize("seed", range(200))
def test_a_mix_costs_at_most_a_tenth_more_than_the_best(seed: int) -> None:
    rng = random.Random(seed)
    pods = [pod for name in "abc" for pod in _pods(rng, name, rng.randrange(1, 3))]
    assert _ratio(pods, rng) <= 1.1
