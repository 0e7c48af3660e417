"""The decision on one object: refuse it, fill it in, or let it pass. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from presets import annotations
from presets.field_errors import ABSENT, FieldError
from webhook import (
    case,
    expand,
    keys,
    patch,
    reasons,
    record,
    several_nodes,
    shapes,
    updates,
    validate,
    workloads,
)
from webhook.terms import Terms

CREATE = "CREATE"
UPDATE = "UPDATE"


@dataclass(frozen=True)
class AdmissionRequest:
    """What is asked: may this object be stored?"""

    operation: str
    object: dict[str, Any]
    old_object: dict[str, Any] | None = None
    """As stored; None on CREATE."""


@dataclass(frozen=True)
class Allowed:
    """Let in, with what was added."""

    workload: dict[str, Any]
    patch: list[patch.Operation]
    """From the object as it came to `workload`."""
    notes: tuple[reasons.Note, ...] = ()
    """Warnings for the user; never empty where something was expanded."""
    reason: str = reasons.UNCHANGED


@dataclass(frozen=True)
class Denied:
    """Refused, with everything that is wrong."""

    errors: tuple[FieldError, ...]


@dataclass(frozen=True)
class Skipped:
    """None of our business."""

    reason: str


Decision = Allowed | Denied | Skipped


def admit(request: AdmissionRequest, terms: Terms) -> Decision:
    """What becomes of the object. Total: whatever JSON the object holds, there is an answer."""
    if reason := _not_ours(request):
        return Skipped(reason)
    new, old = request.object, request.old_object
    if errors := shapes.problems(new) or (shapes.problems(old) if old else []):
        return _denied(errors)
    try:
        earlier = _earlier(new, old)
    except record.MalformedRecord as error:
        if old is not None and _record_text(old) == _record_text(new):
            return Allowed(new, [])
        return _denied([_malformed_record(new, error)])
    if not keys.is_labelled(new):
        return _without_label(new, old, earlier)
    return _create(new, terms, earlier) if old is None else _update(new, old, terms, earlier)


def _not_ours(request: AdmissionRequest) -> str:
    """Why the object does not concern us; empty where it does."""
    new, old = request.object, request.old_object
    if request.operation not in (CREATE, UPDATE):
        return reasons.UNSUPPORTED_OPERATION
    if workloads.kind_of(new) not in workloads.KINDS:
        return reasons.UNSUPPORTED_KIND
    if workloads.metadata(new).get("deletionTimestamp"):
        return reasons.BEING_DELETED
    if keys.is_labelled(new) or (old is not None and keys.is_labelled(old)):
        return ""
    return reasons.NOT_LABELLED


def _earlier(new: dict[str, Any], old: dict[str, Any] | None) -> record.Record | None:
    """The record as stored, which a manifest may have dropped; else the one that comes along."""
    try:
        stored = None if old is None else record.of(old)
    except record.MalformedRecord:
        stored = None
    return stored or record.of(new)


def _update(
    new: dict[str, Any],
    old: dict[str, Any],
    terms: Terms,
    earlier: record.Record | None,
) -> Decision:
    if earlier is not None and updates.asks_for_the_same(new, old, earlier):
        return _keep(new, old, earlier)
    if workloads.kind_of(new) == workloads.JOB:
        return _update_job(new, old, earlier)
    base = new if earlier is None else updates.users_part(new, old, earlier)
    decision = _expand(new, base, terms, earlier)
    if isinstance(decision, Allowed):
        errors = list(several_nodes.unchangeable(decision.workload, new, old))
        return _denied(errors) if errors else decision
    return decision


def _create(new: dict[str, Any], terms: Terms, earlier: record.Record | None) -> Decision:
    """Expand; where the manifest carries a record, it must have been made for the same keys."""
    if earlier and earlier.inputs != keys.inputs(new):
        return _denied([_stale(earlier)])
    return _expand(new, new, terms, earlier)


def _expand(
    new: dict[str, Any],
    base: dict[str, Any],
    terms: Terms,
    earlier: record.Record | None,
) -> Decision:
    found, errors = case.of(base, terms, earlier)
    errors += validate.problems(found)
    if errors or found.model is None:
        return _denied(errors)
    expansion = expand.expand(found)
    operations = patch.between(new, expansion.workload)
    if not operations:
        return Allowed(new, [])
    return Allowed(expansion.workload, operations, expansion.notes, reasons.EXPANDED)


def _keep(new: dict[str, Any], old: dict[str, Any], earlier: record.Record) -> Decision:
    """What was added before, whatever the catalogue says now; other keys are checked if changed."""
    is_asked_anew = annotations.user_keys(keys.of(new)) != annotations.user_keys(keys.of(old))
    if is_asked_anew and (errors := case.problems_of_keys(new)):
        return _denied(errors)
    kept = updates.restored(new, old, earlier)
    if errors := list(several_nodes.replicas_are_kept(kept)):
        return _denied(errors)
    return Allowed(kept, patch.between(new, kept))


def _update_job(
    new: dict[str, Any], old: dict[str, Any], earlier: record.Record | None
) -> Decision:
    """A stored Job keeps its template: a change that asks for another one is refused."""
    asked, before = (keys.inputs(job) for job in (new, old))
    if asked != before:
        return _denied(
            FieldError(
                _path_of_key(key, new if key in asked else old),
                asked.get(key, ABSENT),
                reasons.JOB_TEMPLATE_IMMUTABLE,
                "cannot change on a stored Job, whose template is immutable",
                "delete the Job and create it anew",
            )
            for key in sorted(asked.keys() | before.keys())
            if asked.get(key) != before.get(key)
        )
    if earlier is None:
        return Allowed(new, [])
    kept = expand.with_record(new, earlier)
    return Allowed(kept, patch.between(new, kept))


def _path_of_key(key: str, workload: dict[str, Any]) -> str:
    """Where a key stands on the workload; it is one of the user's."""
    is_label = key in annotations.KEYS and annotations.KEYS[key].is_label
    return keys.path(workload, "labels" if is_label else "annotations", key)


def _without_label(
    new: dict[str, Any], old: dict[str, Any] | None, earlier: record.Record | None
) -> Decision:
    """Undo the expansion when the label has just gone.

    An object that comes without label and record was written by somebody who knows all of it, as an
    ejected manifest is: it is what it is to be.
    """
    if old is None or earlier is None or _record_text(new) is ABSENT:
        return Skipped(reasons.NOT_LABELLED)
    if workloads.kind_of(new) == workloads.JOB:
        return Allowed(new, [], (reasons.job_kept(),), reasons.JOB_KEPT)
    freed = updates.users_part(new, old, earlier)
    if not _runs_something(freed):
        return _denied([_nothing_to_run(freed)])
    return Allowed(freed, patch.between(new, freed), (reasons.released(),), reasons.RELEASED)


def _record_text(workload: dict[str, Any]) -> object:
    held = workloads.part(workload, "metadata", "annotations")
    return held.get(annotations.EXPANSION, ABSENT)


def _runs_something(workload: dict[str, Any]) -> bool:
    containers = workloads.containers(workload)
    return bool(containers) and all(container.get("image") for container in containers)


def _denied(errors: Iterable[FieldError]) -> Denied:
    return Denied(tuple(sorted(errors, key=lambda error: (error.path, error.reason))))


_RECORD_PATH = f"metadata.annotations[{annotations.EXPANSION}]"


def _malformed_record(workload: dict[str, Any], error: record.MalformedRecord) -> FieldError:
    hint = "remove the annotation; Plainsail writes it"
    return FieldError(
        _RECORD_PATH, _record_text(workload), reasons.MALFORMED_RECORD, str(error), hint
    )


def _stale(earlier: record.Record) -> FieldError:
    wishes = ", ".join(f"{key}: {text}" for key, text in sorted(earlier.inputs.items()))
    return FieldError(
        _RECORD_PATH,
        ABSENT,
        reasons.STALE_EXPANSION,
        f"the manifest was expanded for {wishes}",
        "change the manifest from before the expansion, or set these keys again",
    )


def _nothing_to_run(workload: dict[str, Any]) -> FieldError:
    bare = [c.get("name") for c in workloads.containers(workload) if not c.get("image")]
    return FieldError(
        f"{workloads.POD}.containers",
        bare,
        reasons.NOTHING_TO_RUN,
        f"would have no image without the label {annotations.PRESET}",
        "set an image in the same change, or delete the workload",
    )
