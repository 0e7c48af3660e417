"""The memory bill of one GPU as bars."""

from cli import figures
from presets.sizing import memory

BLOCK, PLAIN_BLOCK = "█", "#"

_BARS = figures.WIDTH - 30
"""Columns of a bar that is as long as the memory, or as what is needed if that is more."""


def lines(bill: memory.MemoryBill, block: str = BLOCK) -> list[str]:
    """One line per part that takes anything, then what is free or missing.

    The whole width of the bars is the memory that there is, or the whole bill where that is more:
    then a mark on the last line shows where the memory ends.
    """
    whole = max(bill.capacity, bill.total)
    rows = [
        (name, figures.size(amount), _bar(amount, whole, block))
        for name, amount in bill.parts
        if amount
    ]
    rows.append(_last(bill, whole))
    return figures.columns(rows, right=(1,))


def encodable(encoding: str | None) -> str:
    """The block that a stream of that encoding can carry."""
    try:
        BLOCK.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN_BLOCK
    return BLOCK


def _last(bill: memory.MemoryBill, whole: int) -> tuple[str, str, str]:
    if bill.free >= 0:
        return "free", figures.size(bill.free), f"of {figures.size(bill.capacity)}"
    edge = "-" * round(_BARS * bill.capacity / whole) + "|"
    return "missing", figures.size(-bill.free), f"{edge} {figures.size(bill.capacity)} there"


def _bar(amount: int, whole: int, block: str) -> str:
    """At least one block, so that no part looks like nothing."""
    return block * max(1, round(_BARS * amount / whole))
