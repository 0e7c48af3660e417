"""docs/reference/metrics.md lists what `/metrics` gives, and nothing else."""

import re
from pathlib import Path

from webhook import metrics

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| [^|]*\| ([^|]+) \|$", re.MULTILINE)


def test_every_metric_is_listed_with_type_and_meaning() -> None:
    rows = {name: (kind, meaning) for name, kind, meaning in ROW.findall(REFERENCE.read_text())}
    assert rows == metrics.FAMILIES
