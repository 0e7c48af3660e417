"""The simulation can fail: planners with planted faults are found out within a few seeds."""

import pytest

from tests.simulation import operations, planted, runs, virtual_time

pytestmark = pytest.mark.slow

_SEEDS = 40
"""So many that have the operation in which the fault shows."""


@pytest.mark.parametrize(
    ("plant", "amid", "rule"),
    [
        (planted.nameless, "second planner", "I1"),
        (planted.without_flight, "create", "I1"),
        (planted.without_gpu_patience, "create", "I1"),
        (planted.hoarding, "create", "I2"),
        (planted.grabbing, "create", "I5"),
        (planted.silent, "create", "I7"),
        (planted.stubborn, "out of capacity", "rate"),
        (planted.restless, "create", "Stuck"),
        (planted.blind, "create", "I3"),
        (planted.meddling, "own node", "I4"),
        (planted.raising, "create", "bug"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_fault_is_found(
    plant: planted.Plant, amid: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    elected = False if plant is planted.nameless else None  # names alone must do
    drawn = ((seed, operations.generate(seed)) for seed in range(10 * _SEEDS))
    fitting = [(seed, ops) for seed, ops in drawn if any(op.kind == amid for op in ops)][:_SEEDS]
    assert len(fitting) == _SEEDS
    found = (
        text for seed, chosen in fitting for text in _violations(seed, chosen, elected=elected)
    )
    assert any(f" {rule}: " in text for text in found)


def _violations(
    seed: int, chosen: list[operations.Operation], *, elected: bool | None
) -> tuple[str, ...]:
    try:
        return runs.run(seed, chosen, elected=elected).violations
    except virtual_time.Stuck as error:
        return (f" Stuck: {error}",)
