"""The record of an expansion: annotation `kaito.sh/expansion`, compact JSON on the workload.

It pins the revision that the workload was expanded from and holds the tree of what was added, so
that an expansion can be repeated, compared and undone without any other state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from presets import annotations
from webhook.fill import CREATED, Tree

VERSION = 1
"""Of the record's layout; a record of another version is refused, never guessed at."""

_DEEPEST = 16
"""Levels of a tree: `spec.template.spec.containers.NAME.resources.limits.KEY` takes 8."""


class MalformedRecord(ValueError):
    """The annotation is not a record; the message says why."""


@dataclass(frozen=True)
class Record:
    """What a workload was expanded from, and what was added."""

    preset: str
    revision: str
    """Commit of the weights that the workload keeps, whatever the catalogue says later."""
    container: str
    """Name of the model's container."""
    inputs: Mapping[str, str]
    """Raw text of the user's keys that shaped the pods (`annotations.inputs`)."""
    tree: Tree
    """What was added (`webhook.fill`)."""

    def to_json(self) -> str:
        """Compact JSON with sorted keys: equal records give equal text."""
        raw = {
            "container": self.container,
            "filled": self.tree,
            "inputs": self.inputs,
            "preset": self.preset,
            "revision": self.revision,
            "v": VERSION,
        }
        return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def from_json(cls, text: object) -> "Record":
        """The record that `to_json` wrote.

        Raises:
            MalformedRecord: not JSON, of another version, or a part is missing or of a wrong type.
        """
        try:
            raw = orjson.loads(text) if isinstance(text, str) else None
        except orjson.JSONDecodeError as error:
            raise MalformedRecord("is not JSON") from error
        if not isinstance(raw, dict) or raw.get("v") != VERSION:
            raise MalformedRecord(f"is not a record of version {VERSION}")
        preset, revision, container = (raw.get(key) for key in ("preset", "revision", "container"))
        inputs, tree = raw.get("inputs"), raw.get("filled")
        if not (isinstance(preset, str) and isinstance(revision, str)):
            raise MalformedRecord("names no preset or no revision")
        if not (isinstance(container, str) and isinstance(inputs, dict)):
            raise MalformedRecord("names no container or no inputs")
        if not all(isinstance(value, str) for value in inputs.values()):
            raise MalformedRecord("holds an input that is not text")
        if not (isinstance(tree, dict) and _is_tree(tree, _DEEPEST)):
            raise MalformedRecord("holds no tree of added fields")
        return cls(preset, revision, container, inputs, tree)


def of(workload: Mapping[str, Any]) -> Record | None:
    """The record that a workload carries.

    Raises:
        MalformedRecord: the annotation is there but is not a record.
    """
    held = (workload.get("metadata") or {}).get("annotations") or {}
    return Record.from_json(held[annotations.EXPANSION]) if annotations.EXPANSION in held else None


def _is_tree(value: object, levels: int) -> bool:
    return (
        isinstance(value, dict)
        and levels > 0
        and all(
            _is_mark(child) or (key != CREATED and _is_tree(child, levels - 1))
            for key, child in value.items()
        )
    )


def _is_mark(value: object) -> bool:
    """What was there before was absent, empty, or a default: never a structure to be put back."""
    if isinstance(value, list):
        return len(value) == 1 and (not value[0] or not isinstance(value[0], dict | list))
    return value == 1
