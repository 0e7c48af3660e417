"""Pods that have no node yet, gathered by what they ask for."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node_provisioner import rules, views
from node_provisioner.views import Standing
from presets import provision_spec


@dataclass(frozen=True)
class Demand:
    """Pods of one workload that ask for the same node."""

    workload: views.Workload
    spec: provision_spec.ProvisionSpec
    rules: rules.Rules
    standing: Standing
    pods: tuple[views.PodView, ...]
    """Oldest first."""
    missing: int = 0
    """Pods that are to start together with these and that are not there yet."""


BUYS_A_NODE = (Standing.REFUSED, Standing.GATED)
WANTS_A_NODE = (*BUYS_A_NODE, Standing.UNJUDGED)


def unmet(
    pods: Sequence[views.PodView], gangs: Mapping[views.Workload, int] | None = None
) -> tuple[Demand, ...]:
    """Pods without a node, the largest requests first; does not depend on order.

    `gangs`: how many pods of a workload are to run at the same time, where that is known; a model
    over several nodes says so itself.
    For those that the scheduler refused or that wait behind our gate nodes are bought. Those that
    the scheduler has yet to judge, or could not judge as an extender failed, may only use what is
    there. Pods behind somebody else's gate are no demand.
    """
    groups: dict[
        tuple[views.Workload, provision_spec.ProvisionSpec, rules.Rules, Standing],
        list[views.PodView],
    ] = {}
    there = Counter(pod.workload for pod in pods if not pod.ending)
    for pod in pods:
        if pod.managed and pod.spec is not None and pod.standing in WANTS_A_NODE:
            groups.setdefault((pod.workload, pod.spec, pod.rules, pod.standing), []).append(pod)
    demands = (
        Demand(
            *of,
            tuple(sorted(found, key=lambda pod: (pod.created, pod.key))),
            max((gangs or {}).get(of[0], 0) - there[of[0]], of[1].nodes - there[of[0]], 0),
        )
        for of, found in groups.items()
    )
    return tuple(sorted(demands, key=order))


def order(wanted: Demand) -> tuple[object, ...]:
    """Sorts demands: the largest pods first, for what is left over holds the smaller ones."""
    return -wanted.spec.gpus, wanted.workload, wanted.spec.to_json(), wanted.pods[0].key


def unreadable(pods: Iterable[views.PodView]) -> tuple[views.PodView, ...]:
    """Pods that wait for a node and do not say which, in order of name."""
    found = (p for p in pods if p.managed and p.standing in BUYS_A_NODE and p.spec is None)
    return tuple(sorted(found, key=lambda pod: pod.key))
