"""Kubernetes quantities to exact integers and back: `16Gi` bytes, `1500m` of a core.

No floating point on the way. Source: the grammar of `resource.Quantity`
(k8s.io/apimachinery/pkg/api/resource/quantity.go), which also rounds away from zero.
"""

import re

BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
"""Suffixes that count in powers of 1024."""

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
"""Suffixes that count in powers of 1000, as exponents of 10."""

LARGEST = 2**63 - 1
"""Largest magnitude; the API server caps there in silence, here it is an error."""

_MILLI = 1000
_MOST_DIGITS = 64
"""Characters of a number that are read: `LARGEST` with nine decimals takes 29."""
_MOST_EXPONENT = 99
_FORM = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>\d*)(?:\.(?P<decimals>\d*))?"
    r"(?:(?P<binary>[KMGTPE]i)|[eE](?P<exponent>[+-]?\d{1,4})|(?P<decimal>[numkMGTPE]?))",
    re.ASCII,
)
_SUFFIX = re.compile(r"[\s\d.]*(?P<suffix>\D*)", re.ASCII)


class MalformedQuantity(ValueError):
    """The text is no quantity; the message says why and what to write."""


def whole(text: object) -> int:
    """The quantity in units (bytes, GPUs), a part of a unit rounded away from zero.

    Raises:
        MalformedQuantity: not a quantity, or beyond `LARGEST`.
    """
    return _scaled(text, 1)


def milli(text: object) -> int:
    """The quantity in thousandths of its unit, smaller parts rounded away from zero.

    Raises:
        MalformedQuantity: not a quantity, or beyond `LARGEST` units.
    """
    return _scaled(text, _MILLI)


def bytes_text(count: int) -> str:
    """`count` with the largest binary suffix that keeps it exact: `whole(bytes_text(n)) == n`."""
    for suffix, unit in reversed(BINARY.items()):
        if count and count % unit == 0:
            return f"{count // unit}{suffix}"
    return str(count)


def milli_text(thousandths: int) -> str:
    """Thousandths as cores are written: `1500m`, `2`; `milli(milli_text(n)) == n`."""
    units, rest = divmod(thousandths, _MILLI)
    return f"{thousandths}m" if rest else str(units)


def _scaled(value: object, scale: int) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise MalformedQuantity(f"{value!r} is not a quantity; write a number and a unit: 16Gi")
    text = str(value)
    shown = f'"{text[:_MOST_DIGITS]}"'
    found = _FORM.fullmatch(text)
    if not found or not (found["whole"] or found["decimals"]):
        raise MalformedQuantity(f"{shown} is not a quantity; {_hint(text)}")
    decimals = found["decimals"] or ""
    if len(found["whole"] + decimals) > _MOST_DIGITS:
        raise MalformedQuantity(f"{shown} has too many digits")
    ten, two = _powers(found)
    if abs(ten) > _MOST_EXPONENT:
        raise MalformedQuantity(f"{shown} is out of range; the largest is {LARGEST}")
    numerator: int = int(found["whole"] + decimals) * two * 10 ** max(ten, 0)
    denominator: int = 10 ** (len(decimals) + max(-ten, 0))
    if numerator > LARGEST * denominator:
        raise MalformedQuantity(f"{shown} is out of range; the largest is {LARGEST}")
    magnitude = -(-numerator * scale // denominator)
    return -magnitude if found["sign"] == "-" else magnitude


def _powers(found: re.Match[str]) -> tuple[int, int]:
    """Exponent of ten and power of two that the suffix multiplies with."""
    if found["binary"]:
        return 0, BINARY[found["binary"]]
    if found["exponent"]:
        return int(found["exponent"]), 1
    return DECIMAL[found["decimal"]], 1


def _hint(text: str) -> str:
    """What to write instead, by what is most often written wrongly."""
    if text != text.strip() or " " in text:
        return "write the unit right behind the number: 16Gi"
    found = _SUFFIX.fullmatch(text)
    suffix = found["suffix"] if found else ""
    letter = suffix[:1].upper()
    if suffix.lower() in {"b", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "pib"}:
        return "leave out the B: 16G is 16 x 10^9 bytes, 16Gi is 16 x 2^30"
    if f"{letter}i" in BINARY and suffix.lower() == f"{letter}i".lower() and text != suffix:
        return f"units have a fixed case: {letter}i"
    if suffix in {"K", "g", "t", "p"}:
        return f"units have a fixed case: {'k' if suffix == 'K' else letter}"
    return "a number and one of " + " ".join([*filter(None, DECIMAL), *BINARY])
