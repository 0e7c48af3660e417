"""Lay defaults under an object: what the user wrote wins, and what was added is recorded.

The record of what was added is a tree that mirrors the object, as `managedFields` does. A leaf is
`1` where the field was absent and `[previous]` where it held a value that counts as absent (null,
an empty list, a default of the API server). A node with the key `.` was itself added; the value
under `.` is the same mark. Elements of keyed lists stand under their merge key.
"""

from collections.abc import Mapping
from typing import Any

from presets import scheduling

Object = dict[str, Any]
Tree = dict[str, Any]

CREATED = "."
_ABSENT = 1

DEEP = frozenset(
    {
        "affinity",
        "annotations",
        "labels",
        "limits",
        "metadata",
        "nodeAffinity",
        "requests",
        "resources",
        "securityContext",
        "spec",
        "template",
    }
)
"""Fields that are filled key by key; any other field is one value: the user's, or ours."""

MERGE_KEYS = {
    "containers": "name",
    "env": "name",
    "initContainers": "name",
    "ports": "containerPort",
    "schedulingGates": "name",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Lists that are filled by element, and the field that names an element.

Source: patchMergeKey of the API types (k8s.io/api/core/v1).
"""

_BY_PARTS = DEEP | MERGE_KEYS.keys()
_DEEP_ELEMENTS = frozenset({"containers"})

DEFAULTS = {
    "backoffLimit": 6,
    "podManagementPolicy": "OrderedReady",
    "podReplacementPolicy": "TerminatingOrFailed",
    "progressDeadlineSeconds": 600,
    "replicas": 1,
    "restartPolicy": "Always",
    "schedulerName": scheduling.DEFAULT_SCHEDULER,
}
"""Values that the API server fills in before admission: they count as absent.

Source: SetDefaults_Deployment, _StatefulSet, _Job and _PodSpec (k8s.io/kubernetes/pkg/apis).
"""


_TEXTS = frozenset({"image", "imagePullPolicy", "restartPolicy", "schedulerName", "serviceName"})
"""Fields whose empty text is no value: charts write `image: ""`, and the API server drops it."""


def fill(mine: Object, layout: Mapping[str, Any]) -> tuple[Object, Tree]:
    """`mine` with every absent field of `layout`, and the tree of what was added.

    Nothing of `mine` is changed or copied beyond the path to an addition: a part that needs
    nothing is the same object in the result, and so is a part of `layout` that was added whole.
    """
    tree: Tree = {}
    out = mine
    for key, wanted in layout.items():
        found = mine.get(key)
        if found and key in _BY_PARTS and _is_by_parts(key, wanted):
            value, added = _fill_parts(key, found, wanted)
            if not added:
                continue
        elif not counts_as_absent(key, found) or _is_empty(wanted):
            continue
        else:
            mark: Any = [found] if key in mine else _ABSENT
            value, added = _whole(key, wanted, mark) if key in _BY_PARTS else (wanted, mark)
        tree[key] = added
        if out is mine:
            out = dict(mine)
        out[key] = value
    return out, tree


def _is_empty(wanted: object) -> bool:
    """Asks for nothing; zero, false and the empty text are values like any other."""
    return not wanted and isinstance(wanted, list | dict)


def _is_by_parts(key: str, wanted: object) -> bool:
    return _is_keyed(key, wanted) or (key in DEEP and isinstance(wanted, dict))


def _is_keyed(key: str, wanted: object) -> bool:
    """A list of named elements; of text it is a label that happens to be called `env`."""
    return key in MERGE_KEYS and isinstance(wanted, list)


def counts_as_absent(key: str, found: object) -> bool:
    """Whether nobody said anything: no value, or one that the API server writes by itself."""
    if found:
        return key in DEFAULTS and DEFAULTS[key] == found
    return found is None or isinstance(found, list | dict) or (found == "" and key in _TEXTS)


def _whole(key: str, wanted: Any, mark: object) -> tuple[Any, Any]:  # noqa: ANN401 - JSON values
    """A field that was absent: its value, and its part of the tree."""
    if _is_keyed(key, wanted):
        return wanted, {CREATED: mark, **_elements(key, wanted)}
    if key in DEEP and isinstance(wanted, dict):
        value, tree = _whole_mapping(wanted)
        return value, {CREATED: mark, **tree}
    return wanted, mark


def _whole_mapping(layout: Object) -> tuple[Object, Tree]:
    """`fill({}, layout)`, without looking for what is not there."""
    tree: Tree = {}
    out = layout
    for key, wanted in layout.items():
        if key not in MERGE_KEYS and key not in DEEP and wanted:
            tree[key] = _ABSENT
        elif _is_empty(wanted):
            out = {k: v for k, v in out.items() if k != key}
        else:
            value, tree[key] = _whole(key, wanted, _ABSENT)
            if value is not wanted:
                out = {**out, key: value}
    return out, tree


def _elements(key: str, wanted: list[Object]) -> Tree:
    """The tree of elements that are all added."""
    merge_key = MERGE_KEYS[key]
    if key in _DEEP_ELEMENTS:
        return {str(element[merge_key]): _all_of(element) for element in wanted}
    return {str(element[merge_key]): _ABSENT for element in wanted}


def _fill_parts(key: str, found: Any, wanted: Any) -> tuple[Any, Tree]:  # noqa: ANN401 - JSON values
    return _fill_list(key, found, wanted) if isinstance(wanted, list) else fill(found, wanted)


def _fill_list(key: str, mine: list[Object], wanted: list[Object]) -> tuple[list[Object], Tree]:
    merge_key = MERGE_KEYS[key]
    places = {element.get(merge_key): place for place, element in enumerate(mine)}
    out, tree = list(mine), {}
    for element in wanted:
        name = element[merge_key]
        place = places.get(name)
        if place is None:
            out.append(element)
            tree[str(name)] = _all_of(element) if key in _DEEP_ELEMENTS else _ABSENT
        elif key in _DEEP_ELEMENTS:
            out[place], added = fill(mine[place], element)
            if added:
                tree[str(name)] = added
    return out, tree


def _all_of(element: Object) -> Tree:
    return {CREATED: _ABSENT, **_whole_mapping(element)[1]}
