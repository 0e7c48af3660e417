"""docs/concepts/karpenter.md: its claim is the one that is written, and its tests are there."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "concepts" / "karpenter.md").read_text(encoding="utf-8")


def test_the_claim_on_the_page_is_the_golden_one() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    golden = ROOT / "tests" / "node_provisioner" / "golden" / "nodeclaim-kwok.yaml"
    assert yaml.safe_load(block) == yaml.safe_load(golden.read_text())


def test_every_guarantee_names_a_test_and_every_test_a_guarantee() -> None:
    files = (ROOT / "tests" / "karpenter").glob("test_*.py")
    there = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert set(re.findall(r"`(test_\w+)`", PAGE)) == there
