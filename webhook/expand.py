"""The expansion: a workload with everything that it left out, so that it serves its model."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from presets import annotations, preset
from webhook import fill, machines, placement, podspec, reasons, workloads
from webhook.record import Record

NAME_LABEL = "app.kubernetes.io/name"
"""Label that ties pods to a workload whose selector is absent; a recommended label."""


@dataclass(frozen=True)
class Expansion:
    """An expanded workload and what to tell the user about it."""

    workload: dict[str, Any]
    notes: tuple[reasons.Note, ...]


def expand(
    workload: dict[str, Any],
    request: annotations.Request,
    model: preset.Preset,
    earlier: Record | None = None,
    cloud: str = machines.CLOUD,
) -> Expansion:
    """`workload` filled in for `request`: only absent fields, and the record of what was added.

    `earlier` is the record of an expansion that the workload still carries or carried when it was
    stored: it pins the revision and names the container. `cloud`: whose machines are taken where
    the user names none. Total on what `webhook.validate` lets pass; expanding the result changes
    nothing.
    """
    if earlier and earlier.preset == model.name:
        weights = dataclasses.replace(model.weights, revision=earlier.revision)
        model = dataclasses.replace(model, weights=weights)
    pod = workloads.pod_spec(workload)
    chosen = podspec.choose(
        workloads.containers(workload), request.container, earlier.container if earlier else ""
    )
    placed = placement.place(model, request, pod, chosen.found, cloud)
    layout = {
        "metadata": {"annotations": {annotations.EXPANSION: ""}},
        "spec": {
            **_selector(workload),
            **_progress(workload, model),
            "template": {
                "metadata": {
                    "labels": {**_selected_labels(workload), annotations.MANAGED: "true"},
                    "annotations": {annotations.PROVISION_SPEC: placed.spec.to_json()},
                },
                "spec": _pod_layout(workload, model, placed, chosen),
            },
        },
    }
    filled, tree = fill.fill(workload, layout)
    kept = earlier.tree if earlier and annotations.EXPANSION in _held(workload) else {}
    record = Record(
        preset=model.name,
        revision=model.weights.revision,
        container=chosen.name,
        inputs=annotations.inputs(workloads.metadata(workload)),
        tree=merged(kept, tree),
    )
    notes = tuple(_notes(model, placed, chosen, pod))
    return Expansion(with_record(filled, record), notes)


def with_record(workload: dict[str, Any], record: Record) -> dict[str, Any]:
    """The workload with that record; itself where it already carries the same."""
    text = record.to_json()
    if _held(workload).get(annotations.EXPANSION) == text:
        return workload
    held = {**_held(workload), annotations.EXPANSION: text}
    return {**workload, "metadata": {**workloads.metadata(workload), "annotations": held}}


def merged(one: fill.Tree, other: fill.Tree) -> fill.Tree:
    """The additions of both trees; where both have one, `one` knows what was there before."""
    both = {**other, **one}
    for key in one.keys() & other.keys():
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            both[key] = merged(one[key], other[key])
    return both


def _held(workload: dict[str, Any]) -> dict[str, Any]:
    return workloads.part(workload, "metadata", "annotations")


def _pod_layout(
    workload: dict[str, Any],
    model: preset.Preset,
    placed: placement.Placement,
    chosen: podspec.Chosen,
) -> dict[str, Any]:
    pod = workloads.pod_spec(workload)
    layout: dict[str, Any] = {
        "containers": [podspec.container(model, placed, chosen, pod)],
        "volumes": podspec.volumes(chosen),
        "tolerations": placement.tolerations(),
        "affinity": placement.affinity(placed.instance_types),
    }
    if workloads.kind_of(workload) == workloads.JOB:
        layout["restartPolicy"] = "OnFailure"
    if chosen.is_alone and not chosen.has_own_image:
        layout["automountServiceAccountToken"] = False
    return layout


def _progress(workload: dict[str, Any], model: preset.Preset) -> dict[str, Any]:
    if workloads.kind_of(workload) != workloads.DEPLOYMENT:
        return {}
    return {"progressDeadlineSeconds": podspec.progress_seconds(model.weights)}


def _selector(workload: dict[str, Any]) -> dict[str, Any]:
    """A selector by name, unless the user has one; a Job's is the API server's to make."""
    if workloads.kind_of(workload) == workloads.JOB:
        return {}
    labels = workloads.part(workload, "spec", "template", "metadata", "labels")
    name = labels.get(NAME_LABEL) or workloads.metadata(workload).get("name")
    return {"selector": {"matchLabels": {NAME_LABEL: name}}}


def _selected_labels(workload: dict[str, Any]) -> dict[str, Any]:
    """The labels that the selector, the user's or ours, asks of the pods."""
    own = workloads.part(workload, "spec", "selector")
    selector = own or _selector(workload).get("selector", {})
    return workloads.part(selector, "matchLabels")


def _notes(
    model: preset.Preset,
    placed: placement.Placement,
    chosen: podspec.Chosen,
    pod: dict[str, Any],
) -> Iterator[reasons.Note]:
    """What the user should know: the defaults chosen, and what was left as it was."""
    yield reasons.expanded(model, placed, has_own_image=chosen.has_own_image)
    if placed.left_out:
        yield reasons.machines_left_out(placed.left_out)
    if chosen.has_own_image:
        yield reasons.image_kept(chosen.name)
    elif chosen.found.get("command"):
        yield reasons.command_kept(chosen.name)
    if missing := placement.untolerated(pod):
        yield reasons.tolerations_kept(missing)
    if workloads.part(pod, "affinity", "nodeAffinity").get(placement.REQUIRED):
        yield reasons.affinity_kept(placed.instance_types)
