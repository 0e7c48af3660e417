"""docs/reference/metrics.md lists what `/metrics` gives, and nothing else."""

import re
from pathlib import Path

import pytest

from node_provisioner import metrics as planner
from scheduler_ext import metrics as extender
from telemetry import prometheus
from webhook import metrics as webhook

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| [^|]*\| ([^|]+) \|$", re.MULTILINE)


@pytest.mark.parametrize(
    ("section", "families"),
    [
        ("Admission webhook", webhook.FAMILIES),
        ("Scheduler extender", extender.FAMILIES),
        ("Node planner", planner.FAMILIES),
    ],
)
def test_every_metric_is_listed_with_type_and_meaning(
    section: str, families: prometheus.Families
) -> None:
    text = REFERENCE.read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    rows = {name: (kind, meaning) for name, kind, meaning in ROW.findall(text)}
    assert rows == families
