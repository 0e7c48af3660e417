"""RFC 6902 operations from an object to its expansion, and back."""

from typing import Any

import orjson

Operation = dict[str, Any]

_ABSENT = object()


def between(before: Any, after: Any, path: str = "") -> list[Operation]:  # noqa: ANN401 - JSON values
    """Operations that turn `before` into `after`: `add` where possible, else `remove`.

    Not a JSON diff: expansion shares every part that it did not touch with the original, so only
    the paths to additions are walked; `add` on an existing member replaces it (RFC 6902, 4.1).
    """
    if before is after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return _between_mappings(before, after, path)
    if _extends(before, after):
        return _between_lists(before, after, path)
    return [] if _equal(before, after) else [{"op": "add", "path": path, "value": after}]


def _between_mappings(before: dict[str, Any], after: dict[str, Any], path: str) -> list[Operation]:
    operations: list[Operation] = []
    shared = 0
    for key, value in after.items():
        found = before.get(key, _ABSENT)
        if found is value:
            shared += 1
        elif found is _ABSENT:
            operations.append({"op": "add", "path": f"{path}/{_escaped(key)}", "value": value})
        else:
            shared += 1
            operations += between(found, value, f"{path}/{_escaped(key)}")
    if shared < len(before):
        operations += (
            {"op": "remove", "path": f"{path}/{_escaped(key)}"}
            for key in before
            if key not in after
        )
    return operations


def _extends(before: object, after: object) -> bool:
    """Both are lists of objects and nothing was taken out: elements can be compared by place.

    Of objects alone, for an `add` at a place of a list inserts rather than replaces.
    """
    return (
        isinstance(before, list)
        and isinstance(after, list)
        and 0 < len(before) <= len(after)
        and all(isinstance(element, dict) for element in (*before, *after))
    )


def _between_lists(before: list[Any], after: list[Any], path: str) -> list[Operation]:
    operations: list[Operation] = []
    for place, element in enumerate(before):
        if element is not after[place]:
            operations += between(element, after[place], f"{path}/{place}")
    operations += (
        {"op": "add", "path": f"{path}/-", "value": element} for element in after[len(before) :]
    )
    return operations


def _equal(before: object, after: object) -> bool:
    """Equal as JSON: 1 is neither 1.0 nor true, at any depth."""
    if before != after:
        return False
    if isinstance(before, str):
        return True
    one, other = (orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for value in (before, after))
    return one == other


def _escaped(key: str) -> str:
    if "/" in key or "~" in key:
        return key.replace("~", "~0").replace("/", "~1")
    return key
