"""A model over several machines: a StatefulSet with a pod on each, all of them needed.

What its pods are told, and what they promise each other, is in `presets.runtime_args.nodes`. The
rank of a pod is its index, so that all are made at once and none waits for another to be ready.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from presets import annotations, forms, runtime_args
from presets.field_errors import ABSENT, FieldError
from presets.runtime_args import nodes
from webhook import fill, machine_rules, machines, placement, reasons, workloads
from webhook.case import Case

Object = dict[str, Any]

IMMUTABLE = ("podManagementPolicy", "serviceName")
"""What we fill into the spec and the API server lets nobody change afterwards."""

_LONGEST_NAME = 63
_HEADLESS = "-headless"
_ZONE = "topology.kubernetes.io/zone"


def service_name(workload: Mapping[str, Any]) -> str:
    """The headless Service that names the pods: the user's, else one named as KAITO's is."""
    own = workloads.part(workload, "spec").get("serviceName")
    return str(own or f"{workloads.metadata(workload).get('name')}{_HEADLESS}")


def spread(
    spec: Object, of: Case, placed: placement.Placement, selected: Mapping[str, Any]
) -> Object:
    """The layout `spec` of a StatefulSet with what takes several machines.

    `selected`: labels by which the pods are found, and by which they stay in one zone if they can.
    """
    count, template, pod = placed.split.nodes, spec["template"], dict(spec["template"]["spec"])
    first, *others = pod["containers"]
    told = {**first, "env": [*first.get("env", ()), *_environment(of.workload, placed)]}
    pod["containers"] = [told, *others]
    if selected:
        pod["affinity"] = {**pod["affinity"], "podAffinity": _one_zone(selected)}
    if of.request.provision != forms.OFF:
        pod["schedulingGates"] = [{"name": annotations.GATE}]
    return {
        "replicas": count,
        "podManagementPolicy": "Parallel",
        "serviceName": service_name(of.workload),
        **spec,
        "template": {**template, "spec": pod},
    }


def _environment(workload: Mapping[str, Any], placed: placement.Placement) -> list[Object]:
    leader = f"{workloads.metadata(workload).get('name')}-0.{service_name(workload)}"
    index = {"fieldPath": f"metadata.labels['{nodes.INDEX_LABEL}']"}
    same = nodes.shared(placed.split.nodes, leader, placed.gpus)
    return [
        {"name": nodes.RANK, "valueFrom": {"fieldRef": index}},
        *({"name": name, "value": value} for name, value in same.items()),
    ]


def _one_zone(selected: Mapping[str, Any]) -> Object:
    """Every token crosses the network between the pods; a preference, for zones run out."""
    term = {"labelSelector": {"matchLabels": dict(selected)}, "topologyKey": _ZONE}
    weighed = [{"weight": 100, "podAffinityTerm": term}]
    return {"preferredDuringSchedulingIgnoredDuringExecution": weighed}


def rules(of: Case) -> Iterator[FieldError]:
    """Where the model takes several machines, all that this takes holds."""
    found = of.machines if isinstance(of.machines, machines.Machines) else of.able
    if isinstance(found, machines.Machines) and found.split.nodes > 1:
        count = found.split.nodes
        yield from _image_can(of, count)
        yield from _pods_are_named(of)
        yield from _pods_are_apart(of, count)
        if not fill.counts_as_absent("replicas", _replicas(of.workload)):
            yield from _replicas_are(count, of.workload)
    elif of.earlier is not None:
        yield from replicas_are_kept(of.workload)


def replicas_are_kept(workload: Mapping[str, Any]) -> Iterator[FieldError]:
    """An expanded StatefulSet whose model takes several machines keeps a pod for each, or none."""
    count = nodes.node_count(workloads.containers(workload))
    if count > 1 and workloads.kind_of(workload) == workloads.STATEFUL_SET:
        yield from _replicas_are(count, workload)


def _replicas(workload: Mapping[str, Any]) -> object:
    return workloads.part(workload, "spec").get("replicas")


def _replicas_are(count: int, workload: Mapping[str, Any]) -> Iterator[FieldError]:
    replicas = _replicas(workload)
    if replicas not in (0, count):
        message = f"is not the {count} machines that the model takes: each pod has a part of it"
        hint = f"{count}, or 0 to stop it; another copy of the model is a StatefulSet of its own"
        yield FieldError("spec.replicas", replicas, reasons.OTHER_REPLICAS, message, hint)


def _image_can(of: Case, count: int) -> Iterator[FieldError]:
    if runtime_args.SERVE_NODES in of.terms.programs or of.model is None:
        return
    path, value = machine_rules.types_path(of)
    message = (
        f"asks for what this version cannot do yet: {of.model.name} on {count} machines"
        " (its image serves on one)"
    )
    wanted = machines.Wanted(cloud=of.terms.cloud, mode=placement.mode(of.request))
    alone, _ = machines.cheapest(of.model, wanted)
    hint = f"{alone} holds it" if alone else "choose a smaller preset"
    yield FieldError(path, value, annotations.NOT_SUPPORTED_YET, message, hint)


def _pods_are_named(of: Case) -> Iterator[FieldError]:
    """The address of the leader is made from the workload's name."""
    name, service = workloads.metadata(of.workload).get("name"), service_name(of.workload)
    if not name:
        message = "absent, so that the pods of one model cannot find each other"
        yield FieldError("metadata.name", ABSENT, reasons.NAME_REQUIRED, message, "name it")
    elif service == f"{name}{_HEADLESS}" and len(service) > _LONGEST_NAME:
        message = f"is too long: {service} can be no Service"
        hint = "a shorter name, or a spec.serviceName"
        yield FieldError("metadata.name", name, reasons.NAME_TOO_LONG, message, hint)


def _pods_are_apart(of: Case, count: int) -> Iterator[FieldError]:
    """Each on a machine of its own, the first of index 0: that one leads."""
    if start := workloads.part(of.workload, "spec", "ordinals").get("start"):
        path, message = "spec.ordinals.start", "is not 0, the index of the pod that leads"
        yield FieldError(path, start, annotations.INVALID_VALUE, message, "leave it out")
    if node := of.pod.get("nodeName"):
        path, message = f"{workloads.POD}.nodeName", f"names one node, and the model takes {count}"
        yield FieldError(path, node, reasons.CONTRADICTING_NODE_NAME, message, "drop nodeName")


def unchangeable(
    expanded: Mapping[str, Any], sent: Mapping[str, Any], old: Mapping[str, Any]
) -> Iterator[FieldError]:
    """What was filled in beyond what was `sent`, and cannot be on a stored StatefulSet.

    What the user changes of it is the API server's to refuse.
    """
    filled, given, stored = (workloads.part(one, "spec") for one in (expanded, sent, old))
    for field in IMMUTABLE:
        if filled.get(field) not in (given.get(field), stored.get(field)):
            yield FieldError(
                f"spec.{field}",
                stored.get(field),
                reasons.STATEFUL_SET_IMMUTABLE,
                f"would have to be {filled[field]} for the model's machines, and cannot change",
                "delete the StatefulSet and create it anew",
            )
