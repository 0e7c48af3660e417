"""The simulation can fail: planners with planted faults are found out within a few seeds."""

import pytest

from tests.simulation import operations, planted, runs, virtual_time

pytestmark = pytest.mark.slow

_SEEDS = 150


@pytest.mark.parametrize(
    ("plant", "rule"),
    [
        (planted.nameless, "I1"),
        (planted.without_flight, "I1"),
        (planted.without_gpu_patience, "I1"),
        (planted.hoarding, "I2"),
        (planted.grabbing, "I5"),
        (planted.silent, "I7"),
        (planted.stubborn, "rate"),
        (planted.restless, "Stuck"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_fault_is_found(
    plant: planted.Plant, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert any(rule in text for seed in range(_SEEDS) for text in _found(seed))


def _found(seed: int) -> tuple[str, ...]:
    try:
        return runs.run(seed, operations.generate(seed)).violations
    except virtual_time.Stuck as error:
        return (f"Stuck {error}",)
