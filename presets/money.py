"""Amounts of dollars as exact integers of a millionth: their text and back."""

import re

MICRODOLLARS = 1_000_000
"""In one dollar. Clouds publish at most six decimals of a dollar per hour."""

_DECIMALS = len(str(MICRODOLLARS)) - 1
_AMOUNT = re.compile(r"(?P<dollars>\d{1,9})(?:\.(?P<rest>\d{1,6}))?", re.ASCII)


def microdollars(text: str) -> int | None:
    """An amount in dollars as people write it, `3.673`, exactly; None: not such an amount."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        return None
    return int(found["dollars"]) * MICRODOLLARS + int((found["rest"] or "").ljust(_DECIMALS, "0"))


def decimal_text(amount: int) -> str:
    """Microdollars in dollars without needless zeros: `microdollars(decimal_text(n)) == n`."""
    dollars, rest = divmod(amount, MICRODOLLARS)
    return f"{dollars}.{rest:0{_DECIMALS}}".rstrip("0").rstrip(".")
