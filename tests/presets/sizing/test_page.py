"""docs/concepts/sizing.md says what the code does."""

import re
from pathlib import Path

import pytest

from presets import catalog, gpus, sizing
from tests.presets.models_and_machines import GIB
from tests.presets.sizing import kaito_estimator

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "concepts" / "sizing.md").read_text(encoding="utf-8")
V100 = gpus.INSTANCE_TYPES["Standard_NC6s_v3"]


def table(section: str) -> list[list[str]]:
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize(
    ("column", "name"), [(1, "phi-3-mini-4k-instruct"), (2, "phi-3-mini-128k-instruct")]
)
def test_the_example_is_what_fit_says(column: int, name: str) -> None:
    known = catalog.load().find(name)
    assert known is not None
    found = sizing.fit(known, V100, sizing.Serve())
    assert isinstance(found, sizing.Layout)
    rows = table("Example: phi-3-mini on a V100")
    assert f"at {found.context_tokens:,} tokens" in rows[0][column]
    shown = [int(row[column].replace(",", "")) for row in rows[1:]]
    bill = found.bill
    assert shown == [bill.weights, bill.kv_cache, bill.activations, bill.overhead, bill.free]
    assert f"{bill.capacity:,} visible bytes" in PAGE


def test_the_figures_of_the_text() -> None:
    known = catalog.load().find("phi-3-mini-128k-instruct")
    assert known is not None
    tuned = sizing.fit(known, V100, sizing.Tune())
    assert isinstance(tuned, sizing.Layout)
    kept = sizing.fit(known, V100, sizing.Tune("qlora", 8192, gradient_checkpointing=False))
    assert isinstance(kept, sizing.Misfit)
    flat = re.sub(r"\s+", " ", PAGE)
    assert f"QLoRA takes {tuned.bill.total / GIB:.1f} GiB there" in flat
    needed, activations = kept.needed_bytes / GIB, kept.bill.activations / GIB
    assert f"it needs {needed:.1f} GiB, {activations:.1f} of them activations" in flat
    served = sizing.fit(known, V100, sizing.Serve(2048))
    assert isinstance(served, sizing.Layout)
    parts = served.bill.weights, served.bill.kv_cache, served.bill.activations
    listed = " + ".join(f"{part / GIB:.2f}" for part in parts)
    assert f"here {listed} + 1.25 = {sum(parts) / GIB + 1.25:.1f} GiB" in flat
    assert f"= {kaito_estimator.gpu_memory_gib(7.12, 393_216):.1f} GiB; here" in flat
