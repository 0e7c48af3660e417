"""What an UPDATE does to an expanded workload: keep it, expand it anew, or undo the expansion.

The rule behind it: pods may change only when the user changed something that asks for it. Whatever
arrives without our additions (`kubectl replace`, a first server-side apply) gets them back as they
were stored, not as today's catalogue would have them.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from presets import annotations
from webhook import expand, fill, keys, several_nodes, unfill, workloads
from webhook.record import Record

Object = dict[str, Any]


def asks_for_the_same(new: Object, old: Object, record: Record) -> bool:
    """The user's own part of the pods is what it was when the workload was stored."""
    if keys.inputs(new) != record.inputs:
        return False
    if workloads.pod_template(new) == workloads.pod_template(old):
        return True
    return _users_template(new, old, record) == _users_template(old, old, record)


def _users_template(workload: Object, old: Object, record: Record) -> object:
    stripped, _ = unfill.unfill(workload, record.tree, old)
    template = workloads.pod_template(stripped)
    meta = workloads.part(template, "metadata")
    labels = workloads.part(meta, "labels").items()
    own = {key: text for key, text in labels if key not in _JOB_LABELS}
    return _dense({**template, "metadata": {**meta, "labels": own}})


_JOB_LABELS = frozenset(
    {
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "job-name",
    }
)
"""Labels that the API server writes into a Job's template: no wish of the user."""


def _dense(value: object) -> object:
    """The value without nulls and empty parts, which the API server writes or not as it likes."""
    if isinstance(value, dict):
        parts = ((key, _dense(part)) for key, part in value.items())
        return {key: part for key, part in parts if part not in (None, {}, [])}
    return [_dense(part) for part in value] if isinstance(value, list) else value


def restored(new: Object, old: Object, record: Record) -> Object:
    """`new` with the stored additions wherever it lacks them, and the record of those it keeps."""
    spec, stored = workloads.part(new, "spec"), workloads.part(old, "spec")
    lacking = {
        key: stored[key]
        for key in workloads.part(record.tree, "spec")
        if key in stored and key != fill.CREATED and _lacks(spec, stored, key)
    }
    whole = expand.with_record({**new, "spec": {**spec, **lacking}} if lacking else new, record)
    _, held = unfill.unfill(whole, record.tree, expand.with_record(old, record))
    return expand.with_record(whole, dataclasses.replace(record, tree=held))


def _lacks(spec: Mapping[str, Any], stored: Mapping[str, Any], key: str) -> bool:
    found = spec.get(key)
    if key == "template":
        return bool(found != stored[key])
    return fill.counts_as_absent(key, found)


def users_part(new: Object, old: Object, record: Record) -> Object:
    """`new` without what we added: what an expansion starts from.

    The selector, the labels that it asks for and what else a stored workload cannot change stay,
    and so does a scale of 0, which nobody who edits the pods means to undo.
    """
    stripped, _ = unfill.unfill(new, _removable(record.tree, old), old)
    return without_record(stripped)


def _removable(tree: fill.Tree, old: Object) -> fill.Tree:
    selected = workloads.part(old, "spec", "selector", "matchLabels")
    kept = {"selector", *several_nodes.IMMUTABLE}
    if workloads.part(old, "spec").get("replicas") == 0:
        kept.add("replicas")
    spec = {key: added for key, added in workloads.part(tree, "spec").items() if key not in kept}
    meta = dict(workloads.part(spec, "template", "metadata"))
    if isinstance(meta.get("labels"), dict):
        meta["labels"] = {key: at for key, at in meta["labels"].items() if key not in selected}
    if meta:
        spec["template"] = {**spec["template"], "metadata": meta}
    return {**tree, "spec": spec}


def without_record(workload: Object) -> Object:
    """The workload without the record's annotation, and without annotations if that was all."""
    held = workloads.part(workload, "metadata", "annotations")
    if annotations.EXPANSION not in held:
        return workload
    rest = {key: value for key, value in held.items() if key != annotations.EXPANSION}
    meta = {key: v for key, v in workloads.metadata(workload).items() if key != "annotations"}
    return {**workload, "metadata": {**meta, "annotations": rest} if rest else meta}
