"""`python -m cli.refresh_prices FILE`: renew a table of prices from the library `gpuhunt`.

The library is optional, downloads its catalogue, and is used by nothing else: whoever plans or
admits reads the table. Without the library, without a network, or where it knows nothing of our
instance types, the file stays as it is.
"""

import argparse
import datetime as dt
import importlib
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from presets import annotations, gpus, money, prices, tables

PROVIDERS = ("aws", "azure", "gcp")
"""Clouds whose prices are taken; the library names them as we do."""

HOME_REGIONS = {"aws": "us-east-1", "azure": "eastus", "gcp": "us-central1"}
"""Regions of the table. A type that is not sold there is priced where it is cheapest."""


class CannotRefresh(RuntimeError):
    """There are no fresh prices; the message says why."""


class Item(Protocol):
    """What is read of the library's `CatalogItem`."""

    provider: str
    instance_name: str
    location: str
    """Region; of Google Cloud the zone."""
    price: float
    """Dollars per hour."""
    gpu_count: int
    gpu_name: str | None
    """Without the vendor: `T4`."""
    spot: bool


def hunted() -> Iterable[Item]:
    """Everything with a GPU that the library knows of `PROVIDERS`; downloads.

    Raises:
        CannotRefresh: the library is not installed, or its catalogue cannot be had.
    """
    try:
        library = importlib.import_module("gpuhunt")
    except ImportError as error:
        raise CannotRefresh("gpuhunt is not installed: pip install gpuhunt") from error
    # It logs a traceback for every cloud that fails; the counts at the end say which are missing.
    logging.getLogger("gpuhunt").setLevel(logging.CRITICAL)
    catalog = library.Catalog(balance_resources=False, auto_reload=False)
    try:
        catalog.load()
        items: Iterable[Item] = catalog.query(provider=list(PROVIDERS), min_gpu_count=1)
    except (library.GPUHuntError, OSError) as error:
        raise CannotRefresh(f"gpuhunt has no catalogue: {error}") from error
    return items


def fresh(items: Iterable[Item], date: str, source: str) -> list[prices.Price]:
    """One price for each of our instance types and capacity types that `items` prices.

    In the cloud's home region, elsewhere only where it is not sold there; the cheapest zone of it.
    """
    best: dict[tuple[str, str], prices.Price] = {}
    for found in _known(items, date, source):
        key = found.instance_type, found.capacity_type
        if key not in best or _rank(found) < _rank(best[key]):
            best[key] = found
    return [best[key] for key in sorted(best)]


def _known(items: Iterable[Item], date: str, source: str) -> Iterator[prices.Price]:
    ours = _ours()
    for item in items:
        model = f"NVIDIA {item.gpu_name}"
        name = ours.get((item.provider, item.instance_name)) or ours.get(
            (item.provider, item.instance_name, model, item.gpu_count)
        )
        if name and item.price > 0:
            yield prices.Price(
                instance_type=name,
                microdollars_per_hour=round(item.price * money.MICRODOLLARS),
                capacity_type=annotations.SPOT if item.spot else annotations.ON_DEMAND,
                region=_region(item),
                date=date,
                source=source,
            )


def _ours() -> dict[tuple[str | int, ...], str]:
    """Our names by the cloud's, and by the GPUs too where the cloud's name is silent on them."""
    return {
        (kind.cloud, kind.node_label, kind.gpu, kind.gpus)
        if kind.node_label
        else (kind.cloud, name): name
        for name, kind in gpus.INSTANCE_TYPES.items()
    }


def _region(item: Item) -> str:
    """Google Cloud's items name a zone, `us-central1-a`."""
    return item.location.rpartition("-")[0] if item.provider == "gcp" else item.location


def _rank(price: prices.Price) -> tuple[bool, int, str]:
    home = HOME_REGIONS[gpus.INSTANCE_TYPES[price.instance_type].cloud]
    return price.region != home, price.microdollars_per_hour, price.region


def renew(path: Path, items: Iterable[Item], date: str, source: str) -> Mapping[str, int]:
    """Put fresh prices into the table at `path` in one step; how many there were of each cloud.

    Raises:
        CannotRefresh: `items` prices none of our instance types.
        MalformedTable: the table was broken before.
        OSError: the file cannot be read or written.
    """
    table = prices.parse(path.name, path.read_text(encoding="utf-8"))
    found = fresh(items, date, source)
    if not found:
        raise CannotRefresh("gpuhunt prices none of our instance types")
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(prices.to_csv(table.renewed(found)), encoding="utf-8")
    beside.replace(path)
    clouds = Counter(gpus.INSTANCE_TYPES[one.instance_type].cloud for one in found)
    return {cloud: clouds[cloud] for cloud in PROVIDERS}


def main(argv: Sequence[str] | None = None, hunt: Callable[[], Iterable[Item]] = hunted) -> int:
    """Renew the table named in `argv`; 0 done, 1 not possible."""
    parser = argparse.ArgumentParser(prog="python -m cli.refresh_prices", description=__doc__)
    parser.add_argument("file", type=Path, help="the table, presets/machines/prices.csv")
    flags = parser.parse_args(argv)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    try:
        counts = renew(flags.file, hunt(), today, "gpuhunt")
    except (CannotRefresh, tables.MalformedTable, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    told = ", ".join(f"{cloud} {count}" for cloud, count in counts.items())
    print(f"{flags.file}: {sum(counts.values())} prices of {today} ({told})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
