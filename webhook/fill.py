"""Lay defaults under an object: what the user wrote wins, and what was added is recorded.

The record of what was added is a tree that mirrors the object, as `managedFields` does. A leaf is
`1` where the field was absent and `[previous]` where it held a value that counts as absent (null,
an empty list, a default of the API server). A node with the key `.` was itself added; the value
under `.` is the same mark. Elements of keyed lists stand under their merge key.
"""

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]
Tree = dict[str, Any]

CREATED = "."
_ABSENT = 1
_NO_DEFAULT = object()

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
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Lists that are filled by element, and the field that names an element.

Source: patchMergeKey of the API types (k8s.io/api/core/v1).
"""

_DEEP_ELEMENTS = frozenset({"containers"})

DEFAULTS = {"progressDeadlineSeconds": 600, "restartPolicy": "Always"}
"""Values that the API server fills in before admission: they count as absent.

Source: SetDefaults_Deployment and SetDefaults_PodSpec (k8s.io/kubernetes/pkg/apis).
"""


def fill(mine: Object, layout: Mapping[str, Any]) -> tuple[Object, Tree]:
    """`mine` with every absent field of `layout`, and the tree of what was added.

    Nothing of `mine` is changed or copied beyond the path to an addition: a part that needs
    nothing is the same object in the result.
    """
    tree: Tree = {}
    out = mine
    for key, wanted in layout.items():
        value, added = _filled(key, mine.get(key), wanted, is_present=key in mine)
        if added:
            tree[key] = added
            if out is mine:
                out = dict(mine)
            out[key] = value
    return out, tree


def _filled(key: str, found: Any, wanted: Any, *, is_present: bool) -> tuple[Any, Any]:  # noqa: ANN401 - JSON values
    """The value of one field, and its part of the tree; None where nothing was added."""
    if wanted in ([], {}):
        return found, None
    mark = [found] if is_present else _ABSENT
    by_parts = key in MERGE_KEYS or (key in DEEP and isinstance(wanted, dict))
    if by_parts and found:
        return _fill_parts(key, found, wanted)
    if by_parts:
        value, tree = _fill_parts(key, type(wanted)(), wanted)
        return value, {CREATED: mark, **tree}
    if found in (None, [], {}) or DEFAULTS.get(key, _NO_DEFAULT) == found:
        return wanted, mark
    return found, None


def _fill_parts(key: str, found: Any, wanted: Any) -> tuple[Any, Tree]:  # noqa: ANN401 - JSON values
    return _fill_list(key, found, wanted) if key in MERGE_KEYS else fill(found, wanted)


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
    _, tree = fill({}, element)
    return {CREATED: _ABSENT, **tree}
