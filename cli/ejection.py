"""A workload without Plainsail: plain YAML that runs the same pods, and that we leave alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from controller import services, views
from presets import annotations, scheduling
from webhook import keys, record, shapes, workloads

Object = dict[str, Any]

_SERVER_METADATA = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)
"""What the API server writes into metadata; a manifest that is applied anew has none of it."""

_SERVER_ANNOTATIONS = frozenset(
    {"deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"}
)
"""What the deployment controller and kubectl write; kubectl's holds the manifest with our label."""

_JOB_LABELS = frozenset(
    {
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "job-name",
    }
)
"""What the API server writes on the pods of a Job, to select them by.

Source: generateSelector of the Job strategy (k8s.io/kubernetes/pkg/registry/batch/job).
"""


class SelectorNeedsOurKeys(ValueError):
    """The selector asks for a key of ours, so that pods cannot go without; the message names it."""


def is_complete(workload: Object) -> bool:
    """It was expanded for the keys that it carries and lacks nothing: it can go as it stands.

    Even where its preset is not known here any more. A record without the label is complete too:
    nothing asks for other pods, and so stands a Job whose label was taken away.
    """
    if shapes.problems(workload):
        return False
    try:
        kept = record.of(workload)
    except record.MalformedRecord:
        return False
    if kept is None or (keys.is_labelled(workload) and kept.inputs != keys.inputs(workload)):
        return False
    containers = workloads.containers(workload)
    return bool(containers) and all(one.get("image") for one in containers)


def ejected(workload: Object) -> Object:
    """The expanded workload without our keys and without what a cluster has written into it.

    The pod spec is the same but for a scheduling gate that only we would lift, and for our
    scheduler with the marker that goes with it. The webhook leaves the result alone.

    Raises:
        SelectorNeedsOurKeys: the selector holds a key under `kaito.sh/`.
    """
    spec = dict(workloads.part(workload, "spec"))
    is_job = workloads.kind_of(workload) == workloads.JOB
    generated = _JOB_LABELS if is_job and not spec.get("manualSelector") else frozenset()
    if generated:
        spec.pop("selector", None)
    if needed := sorted(set(_selected(spec))):
        raise SelectorNeedsOurKeys(", ".join(needed))
    spec["template"] = _plain_template(workloads.part(spec, "template"), generated)
    plain = {**workload, "metadata": _plain(workloads.metadata(workload), generated), "spec": spec}
    plain.pop("status", None)
    return plain


def service(workload: Object) -> Object | None:
    """The Service that the controller keeps for the expanded workload, as a manifest of its own.

    None where the workload wants none: by annotation, as a Job, or without labels to select by.
    """
    version_kind, meta = workloads.kind_of(workload), workloads.metadata(workload)
    if version_kind == workloads.JOB or not meta.get("name"):
        return None
    view = views.workload(workload, version_kind[1])
    if not (view.service and view.selector):
        return None
    made = services.manifest(view)
    place = {"namespace": view.namespace} if view.namespace else {}
    return {**made, "metadata": {"name": view.name, **place}}


def is_controllers(of: Object) -> bool:
    """It is a Service that the controller made, and deletes once the workload is none of ours."""
    labels = workloads.part(of, "metadata", "labels")
    return of.get("kind") == "Service" and labels.get(views.MANAGED_BY) == views.OURS


def mentions(value: object, path: str = "") -> Iterator[str]:
    """Paths to what still names a key of ours, such as a rule of anti-affinity."""
    if isinstance(value, dict):
        for key, part in value.items():
            here = f"{path}.{key}".removeprefix(".")
            if _is_ours(key):
                yield here
            yield from mentions(part, here)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from mentions(part, f"{path}[{place}]")
    elif _is_ours(value):
        yield path


def _selected(spec: Mapping[str, Any]) -> Iterator[str]:
    """Keys of ours that the selector asks for."""
    selector = workloads.part(spec, "selector")
    found = selector.get("matchExpressions")
    expressions = found if isinstance(found, list) else []
    asked = [
        *workloads.part(selector, "matchLabels"),
        *(one.get("key") for one in expressions if isinstance(one, dict)),
    ]
    yield from (str(key) for key in asked if _is_ours(key))


def _is_ours(key: object) -> bool:
    return isinstance(key, str) and key.startswith(annotations.PREFIX)


def _plain_template(template: Object, generated: frozenset[str]) -> Object:
    out = {**template, "metadata": _plain(workloads.part(template, "metadata"), generated)}
    if not out["metadata"]:
        del out["metadata"]
    pod = workloads.part(template, "spec")
    gates = pod.get("schedulingGates") or []
    kept = [gate for gate in gates if not _is_ours(gate.get("name"))]
    if len(kept) < len(gates):
        rest = {key: value for key, value in pod.items() if key != "schedulingGates"}
        pod = {**rest, "schedulingGates": kept} if kept else rest
    if pod:
        out["spec"] = _for_any_scheduler(pod)
    return out


def _for_any_scheduler(pod: Object) -> Object:
    """Without the marker and the scheduler that alone ignores it: one never stands alone."""
    containers = pod.get("containers") or []
    plain = [_unmarked(container) for container in containers]
    if plain == containers:
        return pod
    kept = {key: value for key, value in pod.items() if key != "schedulerName"}
    return {**kept, "containers": plain}


def _unmarked(container: Object) -> Object:
    resources = workloads.part(container, "resources")
    plain = {
        kind: {name: n for name, n in amounts.items() if name != scheduling.MARKER}
        if isinstance(amounts, dict)
        else amounts
        for kind, amounts in resources.items()
    }
    return container if plain == resources else {**container, "resources": plain}


def _plain(meta: Mapping[str, Any], generated: frozenset[str]) -> Object:
    out = {key: value for key, value in meta.items() if key not in _SERVER_METADATA}
    for field, dropped in (("labels", generated), ("annotations", _SERVER_ANNOTATIONS)):
        held = out.get(field)
        if not isinstance(held, dict):
            continue
        out[field] = {
            key: value for key, value in held.items() if not _is_ours(key) and key not in dropped
        }
        if held and not out[field]:
            del out[field]
    return out
