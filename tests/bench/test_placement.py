"""The benchmark of placement measures what it says, on a small cluster."""

import pytest

from bench import __main__ as bench
from bench import placement
from bench.placement import binding, questions


@pytest.mark.controlplane
def test_every_figure_of_scheduler_and_extender_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few nodes and pods: the figures themselves depend on the machine."""
    for name, value in {"NODES": 10, "PODS": 8, "ROUNDS": 1, "ARRIVALS": 1}.items():
        monkeypatch.setattr(binding, name, value)
    for name, value in {"NODES": 20, "SAMPLE": 10, "ROUNDS": 1, "QUESTIONS": 5}.items():
        monkeypatch.setattr(questions, name, value)
    figures = {figure.name: figure for figure in placement.placed()}
    assert [name for name, figure in figures.items() if figure.goal] == [
        "pods a second, 10 nodes: scheduler and extender",
        "GPU node ready to pod bound",
        "GPU reported late to pod bound, extender not asked before",
        "/filter, 10 node names: p99",
        "/filter, 20 node names: p99",
    ]
    # Five questions can cost less than a tick of the clock that CPU time is counted by.
    assert all(figure.value > 0 for name, figure in figures.items() if "CPU" not in name)


def test_it_can_be_called_by_its_name() -> None:
    assert "placement" in bench.BENCHMARKS
