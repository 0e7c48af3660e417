"""What instance types cost per hour, as far as it is known: exact integers of a millionth dollar.

The package carries a snapshot, `machines/prices.csv`: list prices of one region of each cloud, each
with its date and source. `python -m cli.refresh_prices` renews it. What is not in it is unknown,
never a guess.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from presets import annotations, money, tables

CAPACITY_TYPES = (annotations.ON_DEMAND, annotations.SPOT)

COLUMNS = ("instance_type", "region", "capacity_type", "usd_per_hour", "date", "source")
FILE = "prices.csv"

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


@dataclass(frozen=True)
class Price:
    """What one machine costs."""

    instance_type: str
    microdollars_per_hour: int
    capacity_type: str
    """`on-demand` or `spot`."""
    region: str
    """The cloud's own name; other regions cost more or less."""
    date: str
    """When it was true, as exactly as known: `2026-01-19`, `2024`."""
    source: str


class PriceList:
    """Prices by instance type, capacity type and region; read-only."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._by_key: dict[tuple[str, str], tuple[Price, ...]] = {}
        for price in sorted(prices, key=_cheapest_first):
            key = price.instance_type, price.capacity_type
            self._by_key[key] = (*self._by_key.get(key, ()), price)

    def find(self, instance_type: str, capacity_type: str, region: str = "") -> Price | None:
        """The cheapest price known, or that of `region`; None: unknown."""
        known = self._by_key.get((instance_type, capacity_type), ())
        return next((price for price in known if not region or price.region == region), None)

    def renewed(self, fresh: Iterable[Price]) -> "PriceList":
        """These prices, with those of `fresh` in place of the same type, region and capacity."""
        merged = {_identity(price): price for one in (self.all, fresh) for price in one}
        return PriceList(merged.values())

    @property
    def all(self) -> tuple[Price, ...]:
        """Every price, by instance type, capacity type, then cheapest first."""
        return tuple(price for key in sorted(self._by_key) for price in self._by_key[key])


@cache
def snapshot() -> PriceList:
    """The prices that the package carries; read once."""
    return parse(FILE, tables.packaged(FILE))


def parse(file: str, text: str) -> PriceList:
    """The prices of a table.

    Raises:
        MalformedTable: a cell is not of its column's form; every problem is named.
    """
    unique = ("instance_type", "region", "capacity_type")
    return PriceList(tables.parse(file, text, COLUMNS, _price, unique))


def to_csv(prices: PriceList) -> str:
    """The table that `parse` reads: equal lists give equal text."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one in prices.all:
        amount = money.decimal_text(one.microdollars_per_hour)
        rows.writerow(
            (one.instance_type, one.region, one.capacity_type, amount, one.date, one.source)
        )
    return out.getvalue()


def shown(amount: int | None) -> str:
    """For people: `$3.673/h`, `$27.20/h`, `unknown`."""
    if amount is None:
        return "unknown"
    dollars, _, cents = money.decimal_text(amount).partition(".")
    return f"${dollars}.{cents.ljust(2, '0')}/h"


def _price(row: tables.Row) -> Price:
    amount = money.microdollars(row.text("usd_per_hour"))
    if not amount:
        row.reject("usd_per_hour", "is not an amount above zero", "dollars, at most six decimals")
    if not _DATE.fullmatch(row.text("date")):
        row.reject("date", "is not a date", "YYYY, YYYY-MM or YYYY-MM-DD")
    return Price(
        instance_type=row.name("instance_type"),
        microdollars_per_hour=amount or 0,
        capacity_type=row.choice("capacity_type", CAPACITY_TYPES),
        region=row.name("region"),
        date=row.text("date"),
        source=row.name("source"),
    )


def _identity(price: Price) -> tuple[str, str, str]:
    return price.instance_type, price.capacity_type, price.region


def _cheapest_first(price: Price) -> tuple[int, str]:
    return price.microdollars_per_hour, price.region
