"""Every row of docs/concepts/admission.md has the tests that it names; no test names another."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [f"W{number}" for number in range(1, 25)]


def page() -> dict[str, list[str]]:
    """Test files by row, as the page says."""
    text = (ROOT / "docs" / "concepts" / "admission.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (W\d+) \|.*\| ([^|]+) \|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a row stands twice"
    return {row: re.findall(r"`([^`]+)`", files) for row, files in rows}


def functions(file: Path) -> Iterator[tuple[str, str]]:
    """Name and docstring of each test of a file."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, ast.get_docstring(node) or ""


def named() -> dict[str, list[str]]:
    """Test files by row, as the docstrings of the tests say."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in ("laws", "webhook"):
        for file in (ROOT / "tests" / folder).glob("test_*.py"):
            for _, text in functions(file):
                for row in re.findall(r"\bW\d+\b", text.partition(":")[0]):
                    found[row].add(file.relative_to(ROOT).as_posix())
    return {row: sorted(files) for row, files in found.items()}


def test_the_page_has_every_row_in_order() -> None:
    assert list(page()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_tested_exactly_where_the_page_says(row: str) -> None:
    assert named().get(row) == sorted(page()[row])


def test_no_test_names_a_row_that_is_not_there() -> None:
    assert named().keys() <= set(ROWS)


def test_the_real_ones_run_on_the_real_control_plane() -> None:
    for file in (ROOT / "tests" / "webhook").glob("test_real_*.py"):
        assert "pytestmark = pytest.mark.controlplane" in file.read_text(encoding="utf-8"), file
