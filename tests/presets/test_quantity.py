"""Quantities: every suffix, exponents, signs, rounding; and what is none, with the way out."""

import random
from decimal import ROUND_UP, Decimal

import pytest

from presets import quantity

SEEDS = range(200)


@pytest.mark.parametrize(
    ("text", "whole", "milli"),
    [
        ("0", 0, 0),
        ("1", 1, 1000),
        (7, 7, 7000),
        ("+3", 3, 3000),
        ("-3", -3, -3000),
        ("1.5", 2, 1500),
        ("-1.5", -2, -1500),
        (".5", 1, 500),
        ("2.", 2, 2000),
        ("500m", 1, 500),
        ("1500m", 2, 1500),
        ("1u", 1, 1),
        ("1n", 1, 1),
        ("100k", 100_000, 100_000_000),
        ("1M", 10**6, 10**9),
        ("1G", 10**9, 10**12),
        ("1T", 10**12, 10**15),
        ("1P", 10**15, 10**18),
        ("9E", 9 * 10**18, 9 * 10**21),
        ("1Ki", 1024, 1_024_000),
        ("1.5Gi", 3 * 2**29, 3 * 2**29 * 1000),
        ("0.1Gi", 107_374_183, 107_374_182_400),
        ("16Gi", 2**34, 2**34 * 1000),
        ("1Ti", 2**40, 2**40 * 1000),
        ("1Pi", 2**50, 2**50 * 1000),
        ("7Ei", 7 * 2**60, 7 * 2**60 * 1000),
        ("1e3", 1000, 10**6),
        ("1E3", 1000, 10**6),
        ("12e-1", 2, 1200),
        ("1.25e+2", 125, 125_000),
        ("0e99", 0, 0),
        ("9223372036854775807", 2**63 - 1, (2**63 - 1) * 1000),
    ],
)
def test_what_a_quantity_says(text: str | int, whole: int, milli: int) -> None:
    assert (quantity.whole(text), quantity.milli(text)) == (whole, milli)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a number and one of n u m k M G T P E Ki"),
        (".", "a number and one of"),
        ("Gi", "a number and one of"),
        ("16GB", "leave out the B: 16G is 16 x 10^9 bytes, 16Gi is 16 x 2^30"),
        ("16GiB", "leave out the B"),
        ("16 Gi", "write the unit right behind the number: 16Gi"),
        (" 16Gi", "write the unit right behind the number: 16Gi"),
        ("16gi", "units have a fixed case: Gi"),
        ("16GI", "units have a fixed case: Gi"),
        ("16K", "units have a fixed case: k"),
        ("16g", "units have a fixed case: G"),
        ("1_000", "a number and one of"),
        ("1,5", "a number and one of"),
        ("0x10", "a number and one of"),
        ("1e", "a number and one of"),
        ("1e3.5", "a number and one of"),
        ("1e3Gi", "a number and one of"),
        ("٣", "a number and one of"),
        ("Infinity", "a number and one of"),
        ("9223372036854775808", "out of range; the largest is 9223372036854775807"),
        ("8Ei", "out of range"),
        ("1e100", "out of range"),
        ("1e-100", "out of range"),
        ("1e99999", "a number and one of"),
        ("9" * 65, "too many digits"),
    ],
)
def test_what_is_no_quantity(text: str, says: str) -> None:
    with pytest.raises(quantity.MalformedQuantity) as caught:
        quantity.whole(text)
    assert says in str(caught.value)


@pytest.mark.parametrize("value", [True, 1.5, None, ["1"]])
def test_other_values_than_text_and_whole_numbers_are_refused(value: object) -> None:
    with pytest.raises(quantity.MalformedQuantity, match="is not a quantity"):
        quantity.whole(value)


def test_bytes_are_written_with_the_largest_exact_suffix() -> None:
    written = {0: "0", 1: "1", 1023: "1023", 1024: "1Ki", 2**34: "16Gi", 3 * 2**29: "1536Mi"}
    assert {count: quantity.bytes_text(count) for count in written} == written


def test_bytes_survive_writing_and_reading() -> None:
    for seed in SEEDS:
        draw = random.Random(seed)
        count = draw.randrange(-(2**30), 2**30) * 2 ** draw.choice([0, 3, 10, 20, 30])
        assert quantity.whole(quantity.bytes_text(count)) == count


def test_thousandths_survive_writing_and_reading() -> None:
    for seed in SEEDS:
        count = random.Random(seed).choice([1, 250, 1000]) * random.Random(-seed).randrange(
            -999, 999
        )
        assert quantity.milli(quantity.milli_text(count)) == count


def test_reading_agrees_with_decimal_arithmetic() -> None:
    """The exact value, rounded away from zero."""
    for seed in SEEDS:
        draw = random.Random(seed)
        number = f"{draw.randrange(10**6)}.{draw.randrange(10**6):06}"
        suffix, factor = draw.choice(
            [(s, Decimal(f)) for s, f in quantity.BINARY.items()]
            + [(s, Decimal(10) ** e) for s, e in quantity.DECIMAL.items() if e < 15]
        )
        if Decimal(number) * factor > quantity.LARGEST:
            continue
        exact = (Decimal(number) * factor * 1000).quantize(Decimal(1), ROUND_UP)
        assert quantity.milli(number + suffix) == int(exact)


def test_a_larger_number_never_reads_smaller() -> None:
    for seed in SEEDS:
        draw = random.Random(seed)
        low, high = sorted(draw.randrange(10**6) for _ in range(2))
        suffix = draw.choice([*quantity.BINARY][:4])
        assert quantity.whole(f"{low / 1000:.3f}{suffix}") <= quantity.whole(
            f"{high / 1000:.3f}{suffix}"
        )
