"""The last line of a benchmark is one JSON object of a fixed shape."""

import json

import pytest

from bench import report


def test_the_last_line_has_the_documented_shape() -> None:
    figures = [
        report.Figure("answer", "s", (12.0, 10.0, 11.0), "<= 25"),
        report.Figure("memory", "MiB", (5.0,)),
    ]
    found = json.loads(report.last_line("demo", figures, {"cores": 2}))
    assert found == {
        "bench": "demo",
        "machine": {"cores": 2},
        "figures": [
            {
                "name": "answer",
                "value": 11.0,
                "unit": "s",
                "goal": "<= 25",
                "met": True,
                "runs": [10.0, 11.0, 12.0],
            },
            {
                "name": "memory",
                "value": 5.0,
                "unit": "MiB",
                "goal": "",
                "met": None,
                "runs": [5.0, 5.0, 5.0],
            },
        ],
    }


@pytest.mark.parametrize(
    ("goal", "met"), [("<= 3", True), ("<= 2.9", False), (">= 3", True), (">= 3.1", False)]
)
def test_the_median_is_held_against_the_goal(goal: str, *, met: bool) -> None:
    assert report.Figure("x", "s", (1.0, 3.0, 9.0), goal).met is met


def test_a_missed_goal_is_said_in_the_table() -> None:
    on = {"cores": 2, "cpu": "some", "load_1min": 0.1}
    text = report.table("x", [report.Figure("answer", "s", (30.0,), "<= 25")], on)
    assert text.splitlines()[-1].endswith("MISSED")
