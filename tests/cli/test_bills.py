"""Bars, sizes and columns."""

import pytest

from cli import bills, figures
from presets.sizing.memory import MemoryBill

GIB = 2**30


def test_a_bill_that_fits() -> None:
    bill = MemoryBill(5 * GIB, GIB, 1, 0, 0, GIB, 10 * GIB)
    assert bills.lines(bill, "#") == [
        "weights      5.00 GiB  #########################",
        "KV cache     1.00 GiB  #####",
        "activations       1 B  #",
        "overhead     1.00 GiB  #####",
        "free         3.00 GiB  of 10.00 GiB",
    ]


def test_a_bill_that_does_not_fit_shows_where_the_memory_ends() -> None:
    bill = MemoryBill(18 * GIB, 0, 0, 0, 0, 2 * GIB, 10 * GIB)
    assert bills.lines(bill, "#") == [
        "weights   18.00 GiB  " + "#" * 45,
        "overhead   2.00 GiB  #####",
        "missing   10.00 GiB  " + "-" * 25 + "| 10.00 GiB there",
    ]


@pytest.mark.parametrize(
    ("encoding", "block"), [("utf-8", "█"), ("ascii", "#"), (None, "#"), ("no-such", "#")]
)
def test_a_stream_that_cannot_carry_blocks_gets_plain_ones(
    encoding: str | None, block: str
) -> None:
    assert bills.encodable(encoding) == block


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (97, "97 B"),
        (98, "0.10 KiB"),
        (1024, "1.00 KiB"),
        (3_359_016, "3.20 MiB"),
        (7_642_159_104, "7.12 GiB"),
        (2000 * GIB, "2,000.00 GiB"),
        (-GIB, "-1.00 GiB"),
    ],
)
def test_sizes(amount: int, text: str) -> None:
    assert figures.size(amount) == text


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert figures.columns([("a", "1"), ("bb", "22")], right=(1,)) == ["a    1", "bb  22"]
    assert figures.columns([]) == []


def test_long_values_go_on_below_themselves() -> None:
    lines = figures.fields([("name", "word " * 30), ("none", "")])
    assert all(line.startswith("      word") for line in lines[1:])
    assert max(map(len, lines)) <= 80
