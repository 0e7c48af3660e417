"""The presets by name: those of the package, and those that a user adds; the only file reads."""

import difflib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from presets import preset, schema
from presets.field_errors import FieldError
from presets.schema import DUPLICATE_NAME, MalformedPresets, parse

__all__ = ["Catalog", "MalformedPresets", "load", "parse", "read_directory"]

SUFFIXES = (".yaml", ".yml")
"""Files of a directory, and keys of a ConfigMap, that hold presets."""


class Catalog:
    """Presets by name; read-only."""

    def __init__(self, presets: Iterable[preset.Preset]) -> None:
        self._presets = tuple(sorted(presets, key=lambda p: p.name))
        self._by_name: dict[str, preset.Preset] = {}
        errors = []
        for known in self._presets:
            for name in (known.name, *known.aliases):
                other = self._by_name.setdefault(name.lower(), known)
                if other is not known:
                    message = f"names both {other.name} and {known.name}"
                    errors.append(FieldError(name, name, DUPLICATE_NAME, message))
        if errors:
            raise MalformedPresets(errors)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all presets, sorted, without aliases."""
        return tuple(known.name for known in self._presets)

    @property
    def presets(self) -> tuple[preset.Preset, ...]:
        """All presets, sorted by name."""
        return self._presets

    def find(self, name: str) -> preset.Preset | None:
        """The preset of that name or alias, in whatever case it is written."""
        return self._by_name.get(name.lower())

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """At most `count` preset names that look like `name`: those that it begins, then the alike.

        Signs between words do not count for the beginning: `llama3` begins `llama-3.1-8b-instruct`.
        """
        begun = [key for key in self._by_name if _bare(key).startswith(_bare(name) or " ")]
        alike = difflib.get_close_matches(name.lower(), self._by_name, n=2 * count, cutoff=0.5)
        found = (self._by_name[key].name for key in (*sorted(begun, key=len), *alike))
        return tuple(dict.fromkeys(found))[:count]

    def extended(self, own: Iterable[preset.Preset]) -> "Catalog":
        """This catalogue with a user's presets: one of the same name replaces the carried one.

        Raises:
            MalformedPresets: two of them, or one and another carried preset, share a name or alias.
        """
        added = tuple(own)
        replaced = {one.name for one in added}
        return Catalog([*(known for known in self._presets if known.name not in replaced), *added])


def load(own: Mapping[str, str] | None = None) -> Catalog:
    """The catalogue that the package carries, extended by a user's files (name to text).

    `own` is what `read_directory` returns, or the `data` of a ConfigMap.

    Raises:
        MalformedPresets: a file does not follow the form, or two presets share a name.
    """
    folder = resources.files("presets").joinpath("models")
    files = {
        file.name: file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(SUFFIXES)
    }
    carried = Catalog(schema.parse_all(files))
    return carried.extended(schema.parse_all(own)) if own else carried


def read_directory(path: Path) -> dict[str, str]:
    """Names and texts of the files of presets in a directory.

    Raises:
        OSError: the directory or a file in it cannot be read.
    """
    found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    return {file.name: file.read_text(encoding="utf-8") for file in found}


def _bare(name: str) -> str:
    """Letters and digits alone."""
    return "".join(sign for sign in name.lower() if sign.isalnum())
