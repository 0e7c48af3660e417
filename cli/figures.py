"""Numbers and tables as people read them on a terminal of 80 columns; nothing is coloured."""

import textwrap
from collections.abc import Iterable, Sequence

from presets import gpus

WIDTH = 80
"""Columns that output is laid out for: the width of a terminal that nobody widened."""

_UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_LEAST_SHOWN = 0.095
"""Of a unit: below it the next smaller unit says more."""


def size(amount: int) -> str:
    """Bytes with three digits or more that mean something: `7.12 GiB`, `3.20 MiB`, `512 B`."""
    for name, unit in _UNITS:
        if abs(amount) >= _LEAST_SHOWN * unit:
            return f"{amount / unit:,.2f} {name}"
    return f"{amount} B"


def dollars(microdollars: int | None) -> str:
    """An amount that stands in a column of amounts: `3.673`; `unknown`."""
    return "unknown" if microdollars is None else f"{microdollars / 1_000_000:,.3f}"


def plural(count: int, noun: str) -> str:
    """`1 GPU`, `2 GPUs`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def machines(machine: gpus.InstanceType, nodes: int) -> str:
    """`1 x V100`, `3 machines of 4 x L4`, `1/6 of A10`."""
    gpu = machine.gpu.removeprefix("NVIDIA ")  # what is offered is NVIDIA's, and lines are short
    if machine.fraction_of > 1:
        count = f"1/{machine.fraction_of} of {gpu}"
    else:
        count = f"{machine.gpus} x {gpu}"
    return f"{nodes} machines of {count}" if nodes > 1 else count


def columns(rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> list[str]:
    """The rows with every column as wide as its widest cell; those of `right` end at one edge."""
    held = [tuple(row) for row in rows]
    ends = frozenset(right)
    widths = [max(len(row[at]) for row in held) for at in range(len(held[0]))] if held else []
    return [
        "  ".join(
            cell.rjust(width) if at in ends else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in held
    ]


def fields(pairs: Iterable[tuple[str, str]], indent: str = "") -> list[str]:
    """Name and value in two columns; values that are too long go on below themselves."""
    held = [(name, value) for name, value in pairs if value]
    edge = max((len(name) for name, _ in held), default=0) + 2
    lines = []
    for name, value in held:
        first = f"{indent}{name.ljust(edge)}"
        lines += textwrap.wrap(
            value,
            WIDTH,
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def bullets(texts: Iterable[str]) -> list[str]:
    """Every text behind a dash, its further lines below its first word."""
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
    ]
