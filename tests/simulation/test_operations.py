"""The seeds are only as good as their operations: each is drawn, and each does something."""

import pytest
from typing_extensions import override

from tests.simulation import cluster, operations, runs, tale

pytestmark = pytest.mark.slow

_SEEDS = 100


@pytest.mark.parametrize("kind", [*operations.DEMAND, *operations.FAULTS])
def test_an_operation_is_drawn_and_changes_what_happens(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For some seed that has it, what is written is not the same when it does nothing."""
    drawn = ((seed, operations.generate(seed)) for seed in range(_SEEDS))
    having = [(seed, ops) for seed, ops in drawn if any(op.kind == kind for op in ops)]
    table = operations.DEMAND if kind in operations.DEMAND else operations.FAULTS
    for seed, chosen in having:
        told = _story(seed, chosen)
        with monkeypatch.context() as patch:
            patch.setitem(table, kind, lambda *_: None)
            if _story(seed, chosen) != told:
                return
    pytest.fail(f"{len(having)} of {_SEEDS} seeds have it, and it changes none of them")


class _Everything(tale.Tale):
    """Every object as it was written, where a tale has what people want to know."""

    @override
    def follow(self, of: cluster.Cluster) -> None:
        of.world.memory.listeners.append(
            lambda change: self.lines.append(f"{of.world.now} {change}")
        )


def _story(seed: int, chosen: list[operations.Operation]) -> list[str]:
    story = _Everything()
    runs.run(seed, chosen, story=story)
    return story.lines
