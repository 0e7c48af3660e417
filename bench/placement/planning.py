"""The planner's decision alone: how fast, how it grows, what it costs beside the best there is."""

import gc
import random
import statistics
import time

from bench.placement import optimum
from bench.report import Figure
from node_provisioner import demand, limits, offerings, plan, rules, supply, views
from presets import provision_spec

PODS, NODES, WORKLOADS = 10_000, 5_000, 500
ROUNDS = 5
CASES = 200
_GPU = "nvidia.com/gpu"
_TYPES = ("g4dn.xlarge", "g4dn.12xlarge", "g5.xlarge", "g5.12xlarge", "g5.48xlarge", "p3.8xlarge")


def run() -> list[Figure]:
    """From views to a plan, at full size and at twice that; small cases against every other way."""
    pairs = [(_seconds(1, seed), _seconds(2, seed)) for seed in range(ROUNDS)]
    once = [one for one, _ in pairs]
    growth = [two / one / 2 for one, two in pairs]
    title = f"plan, {PODS:,} pods waiting, {NODES:,} nodes"
    return [
        Figure(title, "pods/s", tuple(PODS / seconds for seconds in once), ">= 1000"),
        Figure(f"{title}: time of twice as much, over twice", "x", tuple(growth), "<= 1.15"),
        *_costs("one workload", 1, "<= 1.0"),
        *_costs("mix of three workloads", 3, "<= 1.1"),
    ]


def _seconds(size: int, seed: int) -> float:
    """Of demand, supply and plan together."""
    rng = random.Random(seed)
    pods = [_pod(rng, n, f"w{n % (WORKLOADS * size)}") for n in range(PODS * size)]
    nodes = [_node(rng, n) for n in range(NODES * size)]
    allowed = limits.Limits(claims=PODS * size)
    gc.collect()  # what other rounds left is not this one's
    begun = time.perf_counter()
    bins = supply.bins(pods, nodes, (), fresh={node.key for node in nodes})
    decided = plan.plan(demand.unmet(pods), bins, allowed, plan.Past())
    seconds = time.perf_counter() - begun
    assert len(decided.placed) == PODS * size
    return seconds


def _costs(name: str, workloads: int, goal: str) -> list[Figure]:
    """The worst and the mean ratio of the plan's cost to the least that there is."""
    found = [ratio(random.Random(seed), workloads) for seed in range(CASES)]
    return [
        Figure(f"cost beside the optimum, {name}: worst of {CASES}", "x", (max(found),), goal),
        Figure(f"cost beside the optimum, {name}: mean", "x", (statistics.mean(found),)),
    ]


def ratio(rng: random.Random, workloads: int) -> float:
    """What a plan for a random small case costs, over the least that it could."""
    names = [f"w{n}" for n in range(workloads)]
    each = 6 if workloads == 1 else 3
    pods = [pod for name in names for pod in _workload(rng, name, rng.randrange(1, each))]
    kinds = [rng.choice(_TYPES) for _ in range(rng.randrange(3))]
    there = [(kind, rng.randrange(1, offerings.gpus(kind, 0) + 1)) for kind in kinds]
    bins = [supply.Bin(f"ws{i}", "", kind, _GPU, left) for i, (kind, left) in enumerate(there)]
    decided = plan.plan(demand.unmet(pods), bins, limits.Limits(100), plan.Past())
    cost = sum(optimum.price(claim.offer.instance_type) for claim in decided.create)
    best = optimum.cheapest(pods, tuple(optimum.Node(kind, left) for kind, left in there))
    return cost / best if best else 1.0 + cost


def _workload(rng: random.Random, name: str, count: int) -> list[views.PodView]:
    """Pods of one workload, whose list begins with the cheapest, as admission writes it."""
    gpus = rng.choice((1, 1, 2, 4))
    able = [kind for kind in _TYPES if offerings.gpus(kind, 0) >= gpus]
    chosen = rng.sample(able, rng.randrange(1, min(4, len(able)) + 1))
    types = tuple(sorted(chosen, key=optimum.price))
    spec = provision_spec.ProvisionSpec(types, gpus)
    return [_view(f"{name}-{n}", name, spec) for n in range(count)]


def _pod(rng: random.Random, number: int, workload: str) -> views.PodView:
    of = random.Random(workload)  # all pods of a workload are alike
    gpus = of.choice((1, 1, 2, 4))
    able = [kind for kind in _TYPES if offerings.gpus(kind, 0) >= gpus]
    types = tuple(sorted(of.sample(able, 2), key=optimum.price))
    name = f"p{number:06}-{rng.randrange(10**6)}"
    return _view(name, workload, provision_spec.ProvisionSpec(types, gpus))


def _view(name: str, workload: str, spec: provision_spec.ProvisionSpec) -> views.PodView:
    allowed = rules.Requirement(rules.INSTANCE_TYPE, "In", spec.instance_types)
    return views.PodView(
        key=f"default/{name}",
        uid=name,
        created="2026-01-01T00:00:00Z",
        workload=views.Workload("default", "StatefulSet", workload),
        managed=True,
        spec=spec,
        problem="",
        node="",
        standing=views.Standing.REFUSED,
        devices=((spec.gpu_resource, spec.gpus),),
        ending=False,
        rules=rules.Rules(((allowed,),)),
    )


def _node(rng: random.Random, number: int) -> views.NodeView:
    kind = rng.choice(_TYPES)
    labels = ((rules.NAME, f"n{number}"), (rules.INSTANCE_TYPE, kind))
    free = rng.randrange(offerings.gpus(kind, 0) + 1)
    return views.NodeView(
        f"n{number:05}", "", ready=True, cordoned=False, devices=((_GPU, free),), labels=labels
    )
