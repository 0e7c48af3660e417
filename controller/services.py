"""The Service of a workload: 80 to the model server's 5000, under the workload's name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller import reasons, views
from kubeapi import api, events
from presets import annotations, forms, runtime_args

PORT = 80
LOAD_BALANCER = "LoadBalancer"


@dataclass(frozen=True)
class LeftAlone:
    """A workload that gets no Service though it wants one."""

    workload: views.WorkloadView
    reason: events.Reason


@dataclass(frozen=True)
class Plan:
    """Decisions and their reasons."""

    create: tuple[views.WorkloadView, ...]
    mend: tuple[views.WorkloadView, ...]
    """Workloads whose Service differs from what it should be."""
    delete: tuple[views.ServiceView, ...]
    left_alone: tuple[LeftAlone, ...]


def plan(workloads: Iterable[views.WorkloadView], services: Sequence[views.ServiceView]) -> Plan:
    """What makes the Services as the workloads want them; empty when they are.

    Only Services that were made for a workload are ever changed or deleted. Two workloads of one
    name and different kinds: the Deployment has the Service, the StatefulSet is left alone.
    """
    create, mend, left_alone = [], [], []
    there = {service.key: service for service in services}
    kept: dict[str, str] = {}
    for workload in sorted(workloads, key=lambda w: w.key):
        if not workload.service or workload.terminating:
            continue
        key = f"{workload.namespace}/{workload.name}"
        found = there.get(key)
        reason = _obstacle(workload, found, taken=key in kept)
        if reason is not None:
            left_alone.append(LeftAlone(workload, reason))
            continue
        kept[key] = workload.uid
        if found is None:
            create.append(workload)
        elif found.owner == workload.uid and not found.terminating and differs(workload, found):
            mend.append(workload)
    stray = (s for s in services if s.owner and not s.terminating and kept.get(s.key) != s.owner)
    return Plan(tuple(create), tuple(mend), tuple(stray), tuple(left_alone))


def differs(workload: views.WorkloadView, service: views.ServiceView) -> bool:
    """Whether the Service is not what the workload wants."""
    spec = manifest(workload)["spec"]
    ports = tuple(views.port(port) for port in spec["ports"])
    if (service.selector, service.ports) != (views.pairs(spec["selector"]), ports):
        return True
    if workload.load_balancer:
        return service.type != LOAD_BALANCER or not service.marked
    return service.marked


def manifest(workload: views.WorkloadView) -> api.Object:
    """The Service; the workload owns it, so that it goes when the workload goes.

    A load balancer is noted on it: without the note the type is the user's, who may have changed it
    by hand, and with it the type goes back when the workload no longer asks.
    """
    made = _plain(workload)
    if workload.load_balancer:
        made["metadata"]["annotations"] = {annotations.ENABLELB: forms.TRUE}
        made["spec"]["type"] = LOAD_BALANCER
    return made


def _plain(workload: views.WorkloadView) -> api.Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": workload.name,
            "namespace": workload.namespace,
            "labels": {views.MANAGED_BY: views.OURS},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": workload.kind,
                    "name": workload.name,
                    "uid": workload.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {
            "selector": dict(workload.selector),
            "ports": [
                {"name": "http", "port": PORT, "protocol": "TCP", "targetPort": runtime_args.PORT}
            ],
        },
    }


def _obstacle(
    workload: views.WorkloadView, found: views.ServiceView | None, *, taken: bool
) -> events.Reason | None:
    if not workload.selector:
        return reasons.no_selector()
    if taken or (found is not None and not found.owner):
        return reasons.conflict(workload.name)
    return None
