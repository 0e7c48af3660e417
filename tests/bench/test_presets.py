"""The benchmark of the presets measures what it says, quickly enough to be run here."""

import pytest

from bench import __main__ as bench
from bench import presets


@pytest.mark.slow
def test_every_figure_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process and one pass: the figures themselves depend on the machine."""
    monkeypatch.setattr(presets, "PROCESSES", 1)
    monkeypatch.setattr(presets, "PASSES", 1)
    figures = {figure.name: figure for figure in presets.run()}
    assert [name for name, figure in figures.items() if figure.goal] == [
        "catalogue: load to first lookup",
        "fit, serving",
        "fit, tuning",
        "choice among all instance types",
    ]
    assert all(figure.value > 0 for figure in figures.values())
    assert len(figures["fit, serving"].runs) == (
        figures["presets"].value * figures["instance types"].value
    )


def test_it_can_be_called_by_its_name() -> None:
    assert "presets" in bench.BENCHMARKS
