"""The expansion: a workload with everything that it left out, so that it serves its model."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from presets import annotations, forms, preset, provision_spec
from presets.request import Request
from webhook import adapters, fill, machines, placement, podspec, reasons, weights, workloads
from webhook.case import Case
from webhook.record import Record

NAME_LABEL = "app.kubernetes.io/name"
"""Label that ties pods to a workload whose selector is absent; a recommended label."""


@dataclass(frozen=True)
class Expansion:
    """An expanded workload and what to tell the user about it."""

    workload: dict[str, Any]
    notes: tuple[reasons.Note, ...]


def expand(of: Case, earlier: Record | None = None) -> Expansion:
    """The workload filled in for what it asks: only absent fields, and the record of them.

    `earlier` is the record that the case was made with, of an expansion that the workload carries
    or carried when it was stored: it pins the revision. Total on what `webhook.validate` lets pass;
    expanding the result changes nothing.
    """
    workload, request, pod, chosen = of.workload, of.request, of.pod, of.chosen
    assert of.model is not None, "validate refuses what names no preset"
    assert chosen is not None, "validate refuses several containers"
    assert isinstance(of.machines, machines.Machines), "validate refuses what has no machine"
    model = _pinned(of.model, earlier)
    placed = placement.place(model, of.machines, request.capacity_types)
    supply = weights.Supply(request.weights, of.terms.image_volumes)
    beside = adapters.Beside(request.adapters, of.terms.image_volumes)
    selector = _selector(workload)
    layout = {
        "metadata": {"annotations": {annotations.EXPANSION: ""}},
        "spec": {
            **selector,
            **_progress(workload, model),
            "template": {
                "metadata": _pod_metadata(request, placed, _selected_labels(workload, selector)),
                "spec": _pod_layout(workload, chosen, placed, model, supply, beside),
            },
        },
    }
    filled, tree = fill.fill(workload, layout)
    kept = earlier.tree if earlier and annotations.EXPANSION in _held(workload) else {}
    record = Record(
        preset=model.name,
        revision=model.weights.revision,
        container=chosen.name,
        inputs=annotations.inputs(of.keys),
        tree=merged(kept, tree),
    )
    notes = (*_notes(model, placed, chosen, pod, supply), *_adapter_notes(chosen, beside))
    if request.provision == forms.OFF:
        notes = (*notes, reasons.nothing_is_bought(placed))
    return Expansion(with_record(filled, record), notes)


def with_record(workload: dict[str, Any], record: Record) -> dict[str, Any]:
    """The workload with that record; itself where it already carries the same."""
    text = record.to_json()
    meta = workloads.metadata(workload)
    held = workloads.part(meta, "annotations")
    if held.get(annotations.EXPANSION) == text:
        return workload
    annotated = {**meta, "annotations": {**held, annotations.EXPANSION: text}}
    return {**workload, "metadata": annotated}


def merged(one: fill.Tree, other: fill.Tree) -> fill.Tree:
    """The additions of both trees; where both have one, `one` knows what was there before."""
    if not one:
        return other
    both = {**other, **one}
    for key in one.keys() & other.keys():
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            both[key] = merged(one[key], other[key])
    return both


def _pinned(model: preset.Preset, earlier: Record | None) -> preset.Preset:
    """The model at the revision that the workload was first expanded from."""
    if earlier is None or earlier.preset != model.name:
        return model
    if earlier.revision == model.weights.revision:
        return model
    pinned = dataclasses.replace(model.weights, revision=earlier.revision)
    return dataclasses.replace(model, weights=pinned)


def _held(workload: dict[str, Any]) -> dict[str, Any]:
    return workloads.part(workload, "metadata", "annotations")


_spec_text = lru_cache(maxsize=512)(provision_spec.ProvisionSpec.to_json)
"""A provision spec as JSON; few differ, as few presets and instance types are in use."""


def _pod_metadata(
    request: Request, placed: placement.Placement, labels: dict[str, Any]
) -> dict[str, Any]:
    """What ties the pods to their workload, and to the planner unless nothing is to be bought."""
    if request.provision == forms.OFF:
        return {"labels": labels}
    return {
        "labels": {**labels, annotations.MANAGED: "true"},
        "annotations": {annotations.PROVISION_SPEC: _spec_text(placed.spec)},
    }


def _pod_layout(
    workload: dict[str, Any],
    chosen: podspec.Chosen,
    placed: placement.Placement,
    model: preset.Preset,
    supply: weights.Supply,
    beside: adapters.Beside,
) -> dict[str, Any]:
    pod = workloads.pod_spec(workload)
    layout: dict[str, Any] = {
        "containers": [podspec.container(model, placed, chosen, pod, supply, beside)],
        "initContainers": podspec.init_containers(pod, supply, beside),
        "volumes": podspec.volumes(chosen, supply, beside),
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


def _selected_labels(workload: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """The labels that the selector, the user's or the one `made`, asks of the pods."""
    own = workloads.part(workload, "spec", "selector")
    return workloads.part(own or workloads.part(made, "selector"), "matchLabels")


def _notes(
    model: preset.Preset,
    placed: placement.Placement,
    chosen: podspec.Chosen,
    pod: dict[str, Any],
    supply: weights.Supply,
) -> Iterator[reasons.Note]:
    """What the user should know: the defaults chosen, and what was left as it was."""
    yield reasons.expanded(model, placed, has_own_image=chosen.has_own_image)
    if placed.left_out:
        yield reasons.machines_left_out(placed.left_out)
    if placed.old:
        yield reasons.old_gpus(placed.old)
    if chosen.has_own_image:
        yield reasons.image_kept(chosen.name)
    elif chosen.found.get("command"):
        yield reasons.command_kept(chosen.name)
    own = {one.get("name") for one in chosen.found.get("env") or ()}
    if weights.needs_token(model, supply) and not chosen.has_own_image and weights.TOKEN not in own:
        yield reasons.token_needed(model)
    directory = weights.directory(supply)
    if directory and any(chosen.found.get(field) for field in ("image", "command", "args")):
        yield reasons.weights_mounted(chosen.name, directory)
    if missing := placement.untolerated(pod):
        yield reasons.tolerations_kept(missing)
    if workloads.part(pod, "affinity", "nodeAffinity").get(placement.REQUIRED):
        yield reasons.affinity_kept(placed.instance_types)


def _adapter_notes(chosen: podspec.Chosen, beside: adapters.Beside) -> Iterator[reasons.Note]:
    if not beside.listed:
        return
    if any(chosen.found.get(field) for field in ("image", "command", "args")):
        yield reasons.adapters_mounted(chosen.name, adapters.served(beside))
    if beside.is_copied:
        yield reasons.adapters_copied([one.image for one in beside.listed])
