"""Where the user's keys stand: on the workload, else on its pod template.

Charts often let their users label and annotate pods alone. So where the workload itself has no
preset and its template has one, the keys are read in both places, and the workload's own win.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from presets import annotations
from presets.field_errors import FieldError
from webhook import workloads

Object = dict[str, Any]

TEMPLATE = "spec.template"

_FIELDS = ("labels", "annotations")
_KEY = re.compile(r"metadata\.(labels|annotations)\[([^]]*)\]")


def is_labelled(workload: Object) -> bool:
    """Whether workload or pod template carry the label that opts in."""
    return _has_preset(workload) or _has_preset(workloads.pod_template(workload))


def are_on_template(workload: Object) -> bool:
    """Whether the label stands on the pod template alone."""
    return not _has_preset(workload) and _has_preset(workloads.pod_template(workload))


def are_on_pods(workload: Object) -> bool:
    """Whether the pods carry the label: by their template, or by the selector (`expand`)."""
    selector = workloads.part(workload, "spec", "selector", "matchLabels")
    return annotations.PRESET in selector or _has_preset(workloads.pod_template(workload))


def of(workload: Object) -> Object:
    """Metadata that holds the user's keys, as `metadata.parse` reads it."""
    own = workloads.metadata(workload)
    if not are_on_template(workload):
        return own
    pods = workloads.metadata(workloads.pod_template(workload))
    return {f: {**workloads.part(pods, f), **workloads.part(own, f)} for f in _FIELDS}


def inputs(workload: Object) -> dict[str, str]:
    """Raw text of the user's keys that shape pods, wherever they stand."""
    return annotations.inputs(of(workload))


def path(workload: Mapping[str, Any], field: str, key: str) -> str:
    """Where a key stands that `of` found; `field` is `labels` or `annotations`."""
    place = f"metadata.{field}[{key}]"
    if key in workloads.part(workload, "metadata", field):
        return place
    meta = workloads.metadata(workloads.pod_template(workload))
    return f"{TEMPLATE}.{place}" if key in workloads.part(meta, field) else place


def located(workload: Object, error: FieldError) -> FieldError:
    """An error of `metadata.parse(of(workload))`, with the path at which the key stands."""
    found = _KEY.match(error.path)
    if found is None or not are_on_template(workload):
        return error
    place = path(workload, found[1], found[2])
    return dataclasses.replace(error, path=place + error.path[found.end() :])


def _has_preset(of: Mapping[str, Any]) -> bool:
    return annotations.PRESET in workloads.part(of, "metadata", "labels")
