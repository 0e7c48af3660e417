"""Rows of the CSV files that the package carries: read when first asked for, checked as a whole.

Every problem of a file is collected and named with file, line, column and value before anything of
it is used. Source of the cells' meaning: the modules that read them, `gpus` and `prices`.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import resources
from typing import Generic, TypeVar

from typing_extensions import override

from presets import field_errors
from presets.field_errors import FieldError

MALFORMED_CELL = "MalformedCell"
"""Reason code of a cell that is not of its column's form."""

_FOLDER = "machines"
"""Folder of the package's tables."""

V = TypeVar("V")


class MalformedTable(ValueError):
    """A table does not follow its columns; the message lists every problem of it."""


class Row:
    """One line of a table; reading a bad cell notes the problem and gives a harmless value."""

    __slots__ = ("_cells", "_columns", "_place", "_problems")

    def __init__(
        self,
        place: tuple[str, int],
        cells: Sequence[str],
        columns: Mapping[str, int],
        problems: list[FieldError],
    ) -> None:
        self._place = place
        self._cells = cells
        self._columns = columns
        self._problems = problems

    def reject(self, column: str, message: str, hint: str = "") -> None:
        """Note a problem with a cell."""
        file, line = self._place
        path = f"{file}:{line}.{column}"
        self._problems.append(FieldError(path, self.text(column), MALFORMED_CELL, message, hint))

    def text(self, column: str) -> str:
        """The cell; empty where nothing is known."""
        return self._cells[self._columns[column]]

    def name(self, column: str) -> str:
        """The cell, which may not be empty."""
        if not self.text(column):
            self.reject(column, "is empty")
        return self.text(column)

    def choice(self, column: str, allowed: tuple[str, ...]) -> str:
        """The cell, which is one of `allowed`."""
        text = self.text(column)
        if text not in allowed:
            words = ", ".join(word or "or empty" for word in allowed)
            self.reject(column, "is none of the allowed words", f"one of {words}")
        return text

    def flag(self, column: str) -> bool | None:
        """`yes`, `no`, or None where the cell is empty."""
        word = self.choice(column, ("yes", "no", ""))
        return None if not word else word == "yes"

    def count(self, column: str) -> int:
        """A whole number above zero."""
        if not self.text(column):
            self.reject(column, "is empty", "a whole number above zero")
        return self.optional_count(column) or 1

    def optional_count(self, column: str) -> int | None:
        """A whole number above zero; None where the cell is empty."""
        text = self.text(column)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and int(text)):
            self.reject(column, "is not a whole number above zero")
            return None
        return int(text)


class Table(Mapping[str, V], Generic[V]):
    """A read-only mapping that is made when first looked into: importing reads no file."""

    def __init__(self, make: Callable[[], dict[str, V]]) -> None:
        self._make = make

    @cached_property
    def _rows(self) -> dict[str, V]:
        return self._make()

    @override
    def __getitem__(self, name: str) -> V:
        return self._rows[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    @override
    def __len__(self) -> int:
        return len(self._rows)


def packaged(file: str) -> str:
    """Text of one of the package's tables."""
    return resources.files("presets").joinpath(_FOLDER, file).read_text(encoding="utf-8")


def parse(
    file: str,
    text: str,
    columns: tuple[str, ...],
    make: Callable[[Row], V],
    unique: tuple[str, ...] = (),
) -> list[V]:
    """What `make` makes of every row, in the order of the file.

    Raises:
        MalformedTable: a column is missing or unknown, a row is too short or too long, two rows
            say the same in the `unique` columns, or `make` rejected cells.
    """
    lines = csv.reader(text.splitlines())
    header = tuple(next(lines, ()))
    if header != columns:
        raise MalformedTable(f"{file}:1: columns are {','.join(header)}, not {','.join(columns)}")
    places = {column: index for index, column in enumerate(columns)}
    key = [places[column] for column in unique]
    problems: list[FieldError] = []
    seen: set[tuple[str, ...]] = set()
    made = []
    for number, cells in enumerate(lines, 2):
        if len(cells) != len(columns):
            message = f"has {len(cells)} cells, not {len(columns)}"
            problems.append(FieldError(f"{file}:{number}", cells, MALFORMED_CELL, message))
            continue
        row = Row((file, number), cells, places, problems)
        made.append(make(row))
        identity = tuple([cells[index] for index in key])
        if key and identity in seen:
            row.reject(unique[0], "is there already")
        seen.add(identity)
    if problems:
        raise MalformedTable(field_errors.render(problems))
    return made
