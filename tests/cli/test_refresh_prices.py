"""Fresh prices from the optional library, with a stand-in for it; no network."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from cli import refresh_prices
from presets import money, prices, tables


@dataclass
class Item:
    provider: str
    instance_name: str
    location: str
    price: float
    gpu_count: int = 1
    gpu_name: str | None = "T4"
    spot: bool = False


ITEMS = [
    Item("azure", "Standard_NC4as_T4_v3", "eastus", 0.526),
    Item("azure", "Standard_NC4as_T4_v3", "westus2", 0.1),
    Item("azure", "Standard_NC4as_T4_v3", "eastus", 0.11, spot=True),
    Item("azure", "Standard_NC4as_T4_v3", "eastus", 0.12, spot=True),
    Item("gcp", "n1-standard-8", "us-central1-b", 0.73),
    Item("gcp", "n1-standard-8", "us-central1-a", 2.86, gpu_name="V100"),
    Item("gcp", "n1-standard-8", "us-central1-a", 1.08, gpu_count=2),
    Item("aws", "p5e.48xlarge", "us-west-2", 63.296, 8, "H200"),
    Item("aws", "p5e.48xlarge", "us-east-2", 60.0, 8, "H200"),
    Item("aws", "g4dn.xlarge", "us-east-1", 0.0),
    Item("aws", "m5.large", "us-east-1", 0.096, 0, None),
]


def rows(found: Iterable[prices.Price]) -> list[str]:
    return [
        f"{one.instance_type} {one.capacity_type} {one.region}"
        f" {money.decimal_text(one.microdollars_per_hour)} {one.date} {one.source}"
        for one in found
    ]


def test_our_types_are_priced_in_the_home_region_else_where_cheapest() -> None:
    assert rows(refresh_prices.fresh(ITEMS, "2026-11-21", "gpuhunt")) == [
        "Standard_NC4as_T4_v3 on-demand eastus 0.526 2026-11-21 gpuhunt",
        "Standard_NC4as_T4_v3 spot eastus 0.11 2026-11-21 gpuhunt",
        "n1-standard-8.nvidia-tesla-t4-1 on-demand us-central1 0.73 2026-11-21 gpuhunt",
        "n1-standard-8.nvidia-tesla-v100-1 on-demand us-central1 2.86 2026-11-21 gpuhunt",
        "p5e.48xlarge on-demand us-east-2 60 2026-11-21 gpuhunt",
    ]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "prices.csv"
    file.write_text(tables.packaged("prices.csv"))
    return file


def test_the_table_is_renewed_and_the_rest_of_it_stays(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = prices.parse(table.name, table.read_text())
    assert refresh_prices.main([str(table)], lambda: ITEMS) == 0
    assert capsys.readouterr().out.endswith("(aws 1, azure 2, gcp 2)\n")
    after = prices.parse(table.name, table.read_text())
    spot = after.find("Standard_NC4as_T4_v3", "spot")
    assert spot is not None
    assert spot.microdollars_per_hour == 110_000
    assert after.find("g5.xlarge", "on-demand") == before.find("g5.xlarge", "on-demand")
    assert [file.name for file in table.parent.iterdir()] == ["prices.csv"]


def test_a_library_without_our_types_changes_nothing(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = table.read_bytes()
    assert refresh_prices.main([str(table)], lambda: ITEMS[-1:]) == 1
    assert capsys.readouterr().err == "error: gpuhunt prices none of our instance types\n"
    assert table.read_bytes() == before


def test_without_the_library_nothing_changes(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gpuhunt", None)
    before = table.read_bytes()
    assert refresh_prices.main([str(table)]) == 1
    assert capsys.readouterr().err == "error: gpuhunt is not installed: pip install gpuhunt\n"
    assert table.read_bytes() == before


def stand_in(error: Exception | None) -> ModuleType:
    """The parts of the library that are called."""
    library = ModuleType("gpuhunt")

    class GPUHuntError(Exception):
        pass

    class Catalog:
        def __init__(self, *, balance_resources: bool, auto_reload: bool) -> None:
            assert not balance_resources
            assert not auto_reload

        def load(self) -> None:
            if error:
                raise error

        def query(self, *, provider: list[str], min_gpu_count: int) -> list[Item]:
            assert (provider, min_gpu_count) == (["aws", "azure", "gcp"], 1)
            return ITEMS

    library.__dict__.update(GPUHuntError=GPUHuntError, Catalog=Catalog)
    return library


def test_the_library_is_asked_for_our_clouds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpuhunt", stand_in(None))
    assert refresh_prices.hunted() == ITEMS


def test_without_a_network_nothing_changes(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gpuhunt", stand_in(ConnectionError("no route to host")))
    assert refresh_prices.main([str(table)]) == 1
    assert capsys.readouterr().err == "error: gpuhunt has no catalogue: no route to host\n"


def test_a_broken_table_is_named(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("name\n")
    assert refresh_prices.main([str(table)], lambda: ITEMS) == 1
    assert capsys.readouterr().err.startswith("error: prices.csv:1: columns are name, not ")
