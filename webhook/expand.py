"""The expansion: a workload with everything that it left out, so that it serves its model."""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from presets import annotations, forms, preset, provision_spec
from presets.request import Request
from webhook import (
    fill,
    machines,
    notes,
    placement,
    podspec,
    reasons,
    several_nodes,
    tuning,
    workloads,
)
from webhook.case import Case
from webhook.record import Record

NAME_LABEL = "app.kubernetes.io/name"
"""Label that ties pods to a workload whose selector is absent; a recommended label."""


@dataclass(frozen=True)
class Expansion:
    """An expanded workload and what to tell the user about it."""

    workload: dict[str, Any]
    notes: tuple[reasons.Note, ...]


def expand(of: Case) -> Expansion:
    """The workload filled in for what it asks: only absent fields, and the record of them.

    The record of an earlier expansion pins the revision. Total on what `webhook.validate` lets
    pass; expanding the result changes nothing.
    """
    workload, request, chosen = of.workload, of.request, of.chosen
    assert of.model is not None, "validate refuses what names no preset"
    assert chosen is not None, "validate refuses several containers"
    assert isinstance(of.machines, machines.Machines), "validate refuses what has no machine"
    model = _pinned(of.model, of.earlier)
    scheduler = placement.scheduler(of.pod, request, of.terms.scheduler)
    placed = placement.place(model, of.machines, request.capacity_types, scheduler)
    selector = _selector(workload)
    layout = {
        "metadata": {"annotations": {annotations.EXPANSION: ""}},
        "spec": {
            **selector,
            **_of_kind(of, model, chosen),
            "template": {
                "metadata": _pod_metadata(request, placed, _selected_labels(workload, selector)),
                "spec": _pod_layout(of, model, placed, chosen),
            },
        },
    }
    if placed.split.nodes > 1:
        selected = _selected_labels(workload, selector)
        layout["spec"] = several_nodes.spread(layout["spec"], of, placed, selected)
    filled, tree = fill.fill(workload, layout)
    record = Record(
        preset=model.name,
        revision=model.weights.revision,
        container=chosen.name,
        inputs=annotations.inputs(of.keys),
        tree=merged(of.added, tree),
    )
    told = notes.of(of, model, placed, chosen)
    return Expansion(with_record(filled, record), tuple(told))


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
    of: Case, model: preset.Preset, placed: placement.Placement, chosen: podspec.Chosen
) -> dict[str, Any]:
    request, pod = of.request, of.pod
    if request.tuning is not None:
        run = tuning.Run(request.tuning, model, of.supply)
        layout = tuning.pod_layout(run, placed, chosen, pod)
    else:
        served = podspec.Served(model, placed, of.supply, of.beside, request.runtime)
        layout = podspec.pod_layout(served, chosen, pod)
    if placed.gpus:
        layout["tolerations"] = placement.tolerations()
        layout["affinity"] = placement.affinity(placed.instance_types)
    if placed.scheduler:
        layout["schedulerName"] = placed.scheduler
    if request.provision == forms.GATE:
        layout["schedulingGates"] = [{"name": annotations.GATE}]
    if request.tuning is None and workloads.kind_of(of.workload) == workloads.JOB:
        layout["restartPolicy"] = "OnFailure"
    if chosen.is_alone and not chosen.has_own_image:
        layout["automountServiceAccountToken"] = False
    return layout


def _of_kind(of: Case, model: preset.Preset, chosen: podspec.Chosen) -> dict[str, Any]:
    """Fields of the spec that only one kind has."""
    if workloads.kind_of(of.workload) == workloads.DEPLOYMENT:
        return {"progressDeadlineSeconds": podspec.progress_seconds(model.weights)}
    if of.request.tuning is None:
        return {}
    run = tuning.Run(of.request.tuning, model, of.supply)
    return tuning.job_layout(run, chosen.name, of.pod)


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
