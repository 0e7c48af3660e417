"""Pods that no node can take, gathered by what they ask for."""

from collections.abc import Iterable
from dataclasses import dataclass

from node_provisioner import views
from presets import provision_spec


@dataclass(frozen=True)
class Demand:
    """Pods of one workload that ask for the same node."""

    workload: views.Workload
    spec: provision_spec.ProvisionSpec
    pods: tuple[views.PodView, ...]
    """Oldest first."""


def unmet(pods: Iterable[views.PodView]) -> tuple[Demand, ...]:
    """What the scheduler could not place, the largest requests first; does not depend on order.

    Pods behind a scheduling gate or an extender's error are no demand: a node would not help them.
    """
    groups: dict[tuple[views.Workload, provision_spec.ProvisionSpec], list[views.PodView]] = {}
    for pod in pods:
        if pod.managed and pod.unschedulable and pod.spec is not None:
            groups.setdefault((pod.workload, pod.spec), []).append(pod)
    demands = (
        Demand(workload, spec, tuple(sorted(found, key=lambda pod: (pod.created, pod.key))))
        for (workload, spec), found in groups.items()
    )
    return tuple(sorted(demands, key=lambda d: (-d.spec.gpus, d.workload, d.spec.to_json())))


def unreadable(pods: Iterable[views.PodView]) -> tuple[views.PodView, ...]:
    """Pods that wait for a node and do not say which, in order of name."""
    found = (pod for pod in pods if pod.managed and pod.unschedulable and pod.spec is None)
    return tuple(sorted(found, key=lambda pod: pod.key))
