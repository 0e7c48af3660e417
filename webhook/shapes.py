"""Whether the parts of a workload that we read have the JSON types that we read them as."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from presets import annotations
from presets.field_errors import ABSENT, FieldError
from webhook import fill, reasons, workloads
from webhook.workloads import POD

_MAPPING, _LIST, _TEXT = (dict, "an object"), (list, "a list"), (str, "a string")

_SHAPES: tuple[tuple[str, tuple[type, str]], ...] = (
    ("metadata", _MAPPING),
    ("metadata.name", _TEXT),
    ("metadata.labels", _MAPPING),
    ("metadata.annotations", _MAPPING),
    ("spec", _MAPPING),
    ("spec.serviceName", _TEXT),
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
_POD_LISTS = ("containers", "initContainers", "schedulingGates", "tolerations", "volumes")
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

MOST_CONTAINERS = 1000
"""Of a pod; the largest object that etcd takes holds fewer that run something."""


MOST_ARGUMENTS = 1000
"""Of a container; argparse takes time with the square of them."""

MOST_KEYS = 100
"""Of ours in one place: several times as many as there are."""

LONGEST_VALUE = 4096
"""Characters of a key's value; what is looked up in it costs time for each name that it holds.

The record of an expansion is not among them: it grows with the user's containers.
"""


@dataclass(frozen=True)
class _Node:
    """One part of an object, and what is looked at below it."""

    key: str
    path: str
    kind: type
    name: str
    parts: "tuple[_Node, ...]"


def _nodes(shapes: tuple[tuple[str, tuple[type, str]], ...], above: str = "") -> tuple[_Node, ...]:
    """The table as a tree, so that nothing is looked up twice."""
    depth = above.count(".")
    return tuple(
        _Node(path.rpartition(".")[2], path, kind, name, _nodes(shapes, f"{path}."))
        for path, (kind, name) in shapes
        if path.startswith(above) and path.count(".") == depth
    )


_WORKLOAD_NODES, _CONTAINER_NODES = _nodes(_SHAPES), _nodes(_CONTAINER_SHAPES)


def problems(workload: Mapping[str, Any]) -> list[FieldError]:
    """Every part that we read and that has the wrong JSON type.

    The API server sends none; a manifest that the command line reads may hold anything.
    """
    pod = workloads.pod_spec(workload)
    errors = list(_misshapen(workload, _WORKLOAD_NODES, ""))
    for key in _POD_LISTS:
        errors += _not_objects(pod, key, POD)
    for path in ("metadata", "spec.template.metadata"):
        errors += _too_much(workloads.part(workload, *path.split(".")), path)
    containers = [] if errors else pod.get("containers") or []
    if len(containers) > MOST_CONTAINERS:
        message = f"is more than {MOST_CONTAINERS} containers"
        path = f"{POD}.containers"
        return [FieldError(path, len(containers), reasons.MALFORMED_OBJECT, message)]
    for place, container in enumerate(containers):
        path = f"{POD}.containers[{place}]"
        errors += _misshapen(container, _CONTAINER_NODES, f"{path}.")
        for key in _CONTAINER_LISTS:
            errors += _not_objects(container, key, path)
        arguments = container.get("args")
        if isinstance(arguments, list) and len(arguments) > MOST_ARGUMENTS:
            message = f"is more than {MOST_ARGUMENTS} arguments"
            count = len(arguments)
            errors.append(FieldError(f"{path}.args", count, reasons.MALFORMED_OBJECT, message))
        if not container.get("name"):
            errors.append(_nameless(path))
    return errors


def _too_much(meta: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """More keys of ours, or longer ones, than anybody means."""
    count = 0
    for field, key, value in annotations.entries(meta):
        count += 1
        longest = max(len(key), len(value) if isinstance(value, str) else 0)
        if longest > LONGEST_VALUE and key != annotations.EXPANSION:
            where = f"{path}.{field}[{key[:63]}]"
            message = f"is longer than {LONGEST_VALUE} characters"
            yield FieldError(where, value, annotations.INVALID_VALUE, message)
    if count > MOST_KEYS:
        message = f"is more than {MOST_KEYS} keys under {annotations.PREFIX}"
        yield FieldError(path, count, annotations.INVALID_VALUE, message)


def _nameless(path: str) -> FieldError:
    hint = "a container is told apart by its name"
    return FieldError(f"{path}.name", ABSENT, reasons.MALFORMED_OBJECT, "absent", hint)


def _misshapen(
    of: Mapping[str, Any], expected: Iterable[_Node], prefix: str
) -> Iterator[FieldError]:
    for node in expected:
        found = of.get(node.key)
        if found is None:
            continue
        if not isinstance(found, node.kind):
            message = f"is not {node.name}"
            yield FieldError(prefix + node.path, found, reasons.MALFORMED_OBJECT, message)
        elif node.parts and isinstance(found, dict) and found:
            yield from _misshapen(found, node.parts, prefix)


def _not_objects(of: Mapping[str, Any], key: str, path: str) -> Iterable[FieldError]:
    """`of[key]` is to be absent or a list of objects, each named by a single value."""
    found = of.get(key)
    if not found and (found is None or isinstance(found, list)):
        return ()
    if not isinstance(found, list):
        return (_no_list(found, key, path),)
    merge_key = fill.MERGE_KEYS.get(key, "")
    for element in found:
        if not isinstance(element, dict):
            return (_no_list(found, key, path),)
        if isinstance(element.get(merge_key), dict | list):
            return _unnameable(found, merge_key, f"{path}.{key}")
    return ()


def _no_list(found: object, key: str, path: str) -> FieldError:
    message = "is not a list of objects"
    return FieldError(f"{path}.{key}", found, reasons.MALFORMED_OBJECT, message)


def _unnameable(found: list[Any], merge_key: str, path: str) -> Iterator[FieldError]:
    for place, element in enumerate(found):
        value = element.get(merge_key) if isinstance(element, dict) else None
        if isinstance(value, dict | list):
            message = "is not a single value"
            where = f"{path}[{place}].{merge_key}"
            yield FieldError(where, value, reasons.MALFORMED_OBJECT, message)
