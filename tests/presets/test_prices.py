"""Prices: exact amounts, the snapshot, and tables that are written and read again."""

import random

import pytest

from presets import gpus, money, prices, tables

HEADER = ",".join(prices.COLUMNS)


def price(name: str, usd: str, region: str = "here", capacity: str = "on-demand") -> prices.Price:
    amount = money.microdollars(usd)
    assert amount is not None
    return prices.Price(name, amount, capacity, region, "2026-01-19", "test")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("3.673", 3_673_000), ("0.000001", 1), ("113.9328", 113_932_800), ("27", 27_000_000)],
)
def test_an_amount_is_exact(text: str, amount: int) -> None:
    assert money.microdollars(text) == amount
    assert money.decimal_text(amount) == text


@pytest.mark.parametrize("text", ["", "-1", "1.", ".5", "1e3", "1,5", "0.0000001", "$3", "٣", "1 "])
def test_what_is_no_amount(text: str) -> None:
    assert money.microdollars(text) is None


def test_amounts_survive_writing_and_reading() -> None:
    for seed in range(200):
        amount = random.Random(seed).randrange(10**9)
        assert money.microdollars(money.decimal_text(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "unknown"), (3_673_000, "$3.673/h"), (27_200_000, "$27.20/h"), (4_000_000, "$4.00/h")],
)
def test_people_read_dollars_with_cents(amount: int | None, text: str) -> None:
    assert prices.shown(amount) == text


def test_the_snapshot_prices_known_machines_alone() -> None:
    assert {one.instance_type for one in prices.snapshot().all} <= set(gpus.INSTANCE_TYPES)


def test_the_snapshot_says_when_and_by_whom() -> None:
    said = {(one.date, one.source.partition(" ")[0]) for one in prices.snapshot().all}
    assert said == {
        ("2023-12-18", "Azure/karpenter-provider-azure"),
        ("2026-01-19", "aws/karpenter-provider-aws"),
        ("2024", "general"),
    }


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        ("Standard_NC6s_v3", "3.06"),
        ("Standard_NC4as_T4_v3", "0.526"),
        ("Standard_NC24ads_A100_v4", "3.673"),
        ("p5.48xlarge", "55.04"),
        ("g5.xlarge", "1.006"),
    ],
)
def test_the_snapshot_holds_list_prices(name: str, usd: str) -> None:
    found = prices.snapshot().find(name, "on-demand")
    assert found is not None
    assert money.decimal_text(found.microdollars_per_hour) == usd


def test_what_nobody_published_is_unknown() -> None:
    snapshot = prices.snapshot()
    assert snapshot.find("Standard_NC4_A2", "on-demand") is None
    assert snapshot.find("Standard_NC6s_v3", "spot") is None
    assert snapshot.find("no-such-machine", "on-demand") is None


def test_more_gpus_of_one_family_never_cost_less() -> None:
    for family in ("Standard_NC{}ads_A100_v4", "a2-highgpu-{}g", "a2-ultragpu-{}g"):
        sizes = (24, 48, 96) if family.startswith("Standard") else (1, 2, 4, 8)
        found = [prices.snapshot().find(family.format(size), "on-demand") for size in sizes]
        amounts = [one.microdollars_per_hour for one in found if one]
        assert len(amounts) == len(sizes)
        assert amounts == sorted(amounts)


def test_the_cheapest_region_counts_unless_one_is_named() -> None:
    table = prices.PriceList([price("m", "3", "far"), price("m", "2", "near")])
    assert table.find("m", "on-demand") == price("m", "2", "near")
    assert table.find("m", "on-demand", "far") == price("m", "3", "far")
    assert table.find("m", "on-demand", "elsewhere") is None


def test_renewing_replaces_what_is_fresh_and_keeps_the_rest() -> None:
    table = prices.PriceList([price("a", "1"), price("b", "2")])
    renewed = table.renewed([price("b", "3"), price("b", "1", capacity="spot")])
    assert renewed.all == (price("a", "1"), price("b", "3"), price("b", "1", capacity="spot"))


def test_a_table_survives_writing_and_reading() -> None:
    for seed in range(50):
        draw = random.Random(seed)
        table = prices.PriceList(
            price(
                draw.choice("abc"),
                f"{draw.randrange(1, 999)}.{draw.randrange(10)}",
                region,
                draw.choice(prices.CAPACITY_TYPES),
            )
            for region in "wxyz"
        )
        text = prices.to_csv(table)
        assert prices.parse("prices.csv", text).all == table.all
        assert prices.to_csv(prices.parse("prices.csv", text)) == text


def test_the_packaged_table_is_as_it_would_be_written() -> None:
    assert prices.to_csv(prices.snapshot()) == tables.packaged(prices.FILE)


def test_every_problem_of_a_table_is_named() -> None:
    rows = [
        HEADER,
        ",here,later,1.2345678,yesterday,",
        "a,here,spot,0,2026-1-1,me",
    ]
    with pytest.raises(tables.MalformedTable) as caught:
        prices.parse("own.csv", "\n".join(rows))
    assert str(caught.value).splitlines() == [
        'own.csv:2.capacity_type: "later" is none of the allowed words (MalformedCell)',
        "  hint: one of on-demand, spot",
        'own.csv:2.date: "yesterday" is not a date (MalformedCell)',
        "  hint: YYYY, YYYY-MM or YYYY-MM-DD",
        'own.csv:2.instance_type: "" is empty (MalformedCell)',
        'own.csv:2.source: "" is empty (MalformedCell)',
        'own.csv:2.usd_per_hour: "1.2345678" is not an amount above zero (MalformedCell)',
        "  hint: dollars, at most six decimals",
        'own.csv:3.date: "2026-1-1" is not a date (MalformedCell)',
        "  hint: YYYY, YYYY-MM or YYYY-MM-DD",
        'own.csv:3.usd_per_hour: "0" is not an amount above zero (MalformedCell)',
        "  hint: dollars, at most six decimals",
    ]


def test_a_price_twice_is_refused() -> None:
    row = "a,here,spot,1,2026,me"
    with pytest.raises(tables.MalformedTable, match="is there already"):
        prices.parse("own.csv", f"{HEADER}\n{row}\n{row}")
