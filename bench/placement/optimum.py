"""The cheapest way to place a few pods, found by trying every way.

The best keeps what users ask for: every bought node is the first choice of a workload on it, as
the first instance type of a list that can be had wins. Within that it may put pods of several
workloads on one node, and pods on nodes that are there. Pods run wherever their list allows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node_provisioner import offerings, views

_NEVER = 10**15


@dataclass(frozen=True)
class Node:
    """A node, with what is left of it."""

    instance_type: str
    left: int
    """GPUs."""
    price: int = 0
    """Microdollars an hour, where it has yet to be bought."""
    chosen: bool = True
    """It is the first choice of a pod on it, or was there before."""


def cheapest(pods: Sequence[views.PodView], nodes: tuple[Node, ...], bought: int = 0) -> int:
    """Microdollars an hour of the cheapest way to place `pods` in `nodes` and new ones."""
    if not pods:
        return bought if all(node.chosen for node in nodes) else _NEVER
    pod, rest = pods[0], pods[1:]
    costs = (cheapest(rest, after, bought + price) for after, price in _ways(pod, nodes))
    return min(costs, default=_NEVER)


def price(instance_type: str) -> int:
    """Microdollars an hour on demand; it must be known."""
    per_hour = offerings.Offer(instance_type, "on-demand").per_hour
    assert per_hour is not None
    return per_hour


def _ways(pod: views.PodView, nodes: tuple[Node, ...]) -> Iterator[tuple[tuple[Node, ...], int]]:
    """Every node that the pod may be put on, as the nodes are then, and what that costs."""
    spec = pod.spec
    assert spec is not None
    first = offerings.offers(spec, pod.rules)[0].instance_type
    new = [_new(kind) for kind in spec.instance_types]
    for node in dict.fromkeys([*nodes, *new]):
        if node.instance_type not in spec.instance_types or node.left < spec.gpus:
            continue
        chosen = node.chosen or node.instance_type == first
        used = Node(node.instance_type, node.left - spec.gpus, 0, chosen)
        if node in nodes:
            at = nodes.index(node)
            yield (*nodes[:at], used, *nodes[at + 1 :]), 0
        else:
            yield (*nodes, used), node.price


def _new(kind: str) -> Node:
    return Node(kind, offerings.gpus(kind, 0), price(kind), chosen=False)
