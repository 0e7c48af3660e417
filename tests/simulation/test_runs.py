"""Runs can be repeated, and made smaller."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import operations, planted, runs, tale

_ROOT = Path(__file__).resolve().parents[2]
_TELL = """
from tests.simulation import operations, runs, tale
story = tale.Tale()
runs.run(7, operations.generate(7), story=story)
print("\\n".join(story.lines))
"""


def _story(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(_ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", _TELL], env=environment, cwd=_ROOT, capture_output=True, check=True
    )
    return told.stdout.decode()


@pytest.mark.slow
def test_a_seed_gives_the_same_run_in_every_process() -> None:
    first = _story("1")
    assert "NodeRequested" in first
    assert first == _story("2")


def test_a_failing_run_is_made_as_small_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is needed is one pod; operations are left out until nothing else is there."""
    planted.hoarding(monkeypatch)
    chosen = operations.generate(1)
    small = runs.smaller(chosen, lambda fewer: bool(runs.run(1, fewer).violations))
    assert len(chosen) > 5
    assert [operation.kind for operation in small] == ["create"]
    story = tale.Tale()
    assert runs.run(1, small, story=story).violations
    assert any("Unschedulable" in line for line in story.lines)


def test_operations_can_be_left_out_at_will() -> None:
    for left_out in range(3):
        chosen = operations.generate(3)
        assert not runs.run(3, chosen[:left_out] + chosen[left_out + 1 :]).violations
