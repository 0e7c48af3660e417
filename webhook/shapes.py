"""Whether the parts of a workload that we read have the JSON types that we read them as."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from presets.field_errors import ABSENT, FieldError
from webhook import fill, reasons, workloads

POD = "spec.template.spec"

_MAPPING, _LIST, _TEXT = (dict, "an object"), (list, "a list"), (str, "a string")

_SHAPES: tuple[tuple[str, tuple[type, str]], ...] = (
    ("metadata", _MAPPING),
    ("metadata.name", _TEXT),
    ("metadata.labels", _MAPPING),
    ("metadata.annotations", _MAPPING),
    ("spec", _MAPPING),
    ("spec.selector", _MAPPING),
    ("spec.selector.matchLabels", _MAPPING),
    ("spec.template", _MAPPING),
    ("spec.template.metadata", _MAPPING),
    ("spec.template.metadata.labels", _MAPPING),
    ("spec.template.metadata.annotations", _MAPPING),
    ("spec.template.spec", _MAPPING),
    ("spec.template.spec.affinity", _MAPPING),
    ("spec.template.spec.affinity.nodeAffinity", _MAPPING),
    ("spec.template.spec.nodeSelector", _MAPPING),
    ("spec.template.spec.securityContext", _MAPPING),
)
_POD_LISTS = ("containers", "tolerations", "volumes")
_CONTAINER_SHAPES: tuple[tuple[str, tuple[type, str]], ...] = (
    ("name", _TEXT),
    ("image", _TEXT),
    ("command", _LIST),
    ("args", _LIST),
    ("resources", _MAPPING),
    ("resources.limits", _MAPPING),
    ("resources.requests", _MAPPING),
    ("securityContext", _MAPPING),
    ("securityContext.capabilities", _MAPPING),
    ("securityContext.capabilities.add", _LIST),
)
_CONTAINER_LISTS = ("env", "ports", "volumeMounts")


def problems(workload: Mapping[str, Any]) -> list[FieldError]:
    """Every part that we read and that has the wrong JSON type.

    The API server sends none; a manifest that the command line reads may hold anything.
    """
    pod = workloads.pod_spec(workload)
    errors = list(_misshapen(workload, _SHAPES, ""))
    errors += (error for key in _POD_LISTS for error in _not_objects(pod, key, POD))
    if errors:
        return errors
    for place, container in enumerate(workloads.containers(workload)):
        path = f"{POD}.containers[{place}]"
        errors += _misshapen(container, _CONTAINER_SHAPES, f"{path}.")
        errors += (e for key in _CONTAINER_LISTS for e in _not_objects(container, key, path))
        if not container.get("name"):
            errors.append(_nameless(path))
    return errors


def _nameless(path: str) -> FieldError:
    hint = "a container is told apart by its name"
    return FieldError(f"{path}.name", ABSENT, reasons.MALFORMED_OBJECT, "absent", hint)


def _misshapen(
    of: Mapping[str, Any], expected: Iterable[tuple[str, tuple[type, str]]], prefix: str
) -> Iterator[FieldError]:
    for path, (kind, name) in expected:
        found: Any = of
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None and not isinstance(found, kind):
            yield FieldError(prefix + path, found, reasons.MALFORMED_OBJECT, f"is not {name}")


def _not_objects(of: Mapping[str, Any], key: str, path: str) -> Iterator[FieldError]:
    found, merge_key = of.get(key), fill.MERGE_KEYS.get(key)
    if found is None:
        return
    if not isinstance(found, list) or not all(isinstance(element, dict) for element in found):
        message = "is not a list of objects"
        yield FieldError(f"{path}.{key}", found, reasons.MALFORMED_OBJECT, message)
    elif merge_key:
        for place, element in enumerate(found):
            value = element.get(merge_key)
            if isinstance(value, dict | list):
                where = f"{path}.{key}[{place}].{merge_key}"
                message = "is not a single value"
                yield FieldError(where, value, reasons.MALFORMED_OBJECT, message)
