"""Take away what `fill` added: the exact inverse, except where the user has edited since."""

from collections.abc import Mapping
from typing import Any

from webhook.fill import CREATED, MERGE_KEYS, Object, Tree

_LEFT_BY_SERVER = frozenset(
    {"imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"}
)
"""Values that the API server sets in every container, whoever made it."""


def unfill(now: Object, tree: Tree, was: Mapping[str, Any] | None = None) -> tuple[Object, Tree]:
    """`now` without the additions of `tree`, and the part of `tree` that still held.

    `was` is the object as stored when the tree was true: a field that differs from it was edited
    by the user and stays. Without `was`, every field of the tree counts as ours.
    """
    stored = now if was is None else was
    out, held = dict(now), {}
    for key, added in tree.items():
        if key == CREATED or key not in now:
            continue
        left, rest = _without(key, now[key], added, stored.get(key))
        if rest is None:
            continue
        held[key] = rest
        mark = added.get(CREATED) if isinstance(added, dict) else added
        if left:
            out[key] = left
        elif isinstance(mark, list):
            out[key] = mark[0]
        elif mark:
            del out[key]
        else:
            out[key] = left
    return (out if held else now), held


def _without(key: str, now: Any, added: Any, stored: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON values
    """What is left of one field (empty: nothing), and the rest of its tree (None: the user's)."""
    if not isinstance(added, dict):
        return (None, added) if now == stored else (now, None)
    left: Any
    if isinstance(now, dict):
        left, rest = unfill(now, added, stored if isinstance(stored, dict) else {})
    elif isinstance(now, list) and key in MERGE_KEYS:
        left, rest = _without_elements(key, now, added, stored)
    else:
        return now, None
    if CREATED in added:
        rest[CREATED] = added[CREATED]
    return (left, rest) if rest else (now, None)


def _without_elements(key: str, now: list[Any], added: Tree, stored: Any) -> tuple[list[Any], Tree]:  # noqa: ANN401 - JSON values
    merge_key = MERGE_KEYS[key]
    before = {str(e.get(merge_key)): e for e in stored} if isinstance(stored, list) else {}
    out, held = [], {}
    for element in now:
        name = str(element.get(merge_key))
        added_here = added.get(name) if name != CREATED else None
        if added_here is None:
            out.append(element)
            continue
        left, rest = _without("", element, added_here, before.get(name))
        if rest is not None:
            held[name] = rest
        if not isinstance(added_here, dict) or CREATED not in added_here:
            out += [left] if left else []
        elif any(part and field not in _LEFT_BY_SERVER for field, part in left.items()):
            out.append({merge_key: element[merge_key], **left})
    return out, held
