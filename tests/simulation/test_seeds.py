"""The real planner against random operations and faults, in virtual time.

`SEED=123 pytest tests/simulation -k replay` runs one seed, leaves out every operation that the
failure does not need, and prints the story of what is left. `make nightly` runs many more seeds.
"""

import logging
import os
from collections.abc import Sequence

import pytest

from tests.simulation import operations, runs, tale

_SEEDS = int(os.environ.get("SEEDS", "1000"))
_OF_TROUBLE = {
    *("ClaimRefused", "NodeUnavailable", "NodesUnavailable", "ClaimLimitReached"),
    *("BuyingPaused", "PlannerBlind", "ClaimStuck", "NodeLeaked"),
}


def _report(seed: int, found: Sequence[str], chosen: Sequence[operations.Operation]) -> str:
    lines = (str(operation) for operation in chosen)
    replay = f"SEED={seed} pytest tests/simulation -k replay"
    return "\n".join([f"seed {seed}; replay and minimize: {replay}", *found, *lines])


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_the_invariants_hold_whatever_happens(seed: int) -> None:
    """X1 and P, C rows in any mixture: killed, paused, doubled, misled, refused, forgotten."""
    chosen = operations.generate(seed)
    found = runs.run(seed, chosen).violations
    assert not found, _report(seed, found, chosen)


@pytest.mark.parametrize("seed", range(_SEEDS // 5))
def test_without_faults_every_claim_is_used_and_none_is_refused(seed: int) -> None:
    chosen = operations.generate(seed, faults=False)
    outcome = runs.run(seed, chosen)
    assert not outcome.violations, _report(seed, outcome.violations, chosen)
    assert outcome.bought
    assert not outcome.told.keys() & _OF_TROUBLE


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif("SEED" not in os.environ, reason="replays the seed of the variable SEED")
def test_replay(caplog: pytest.LogCaptureFixture) -> None:
    seed = int(os.environ["SEED"])
    chosen: Sequence[operations.Operation] = operations.generate(seed)
    if runs.run(seed, chosen).violations:
        chosen = runs.smaller(chosen, lambda fewer: bool(runs.run(seed, fewer).violations))
    story = tale.Tale()
    logger = logging.getLogger("plainsail")
    logger.addHandler(story)
    try:
        with caplog.at_level(logging.INFO, logger.name):
            found = runs.run(seed, chosen, story=story).violations
    finally:
        logger.removeHandler(story)
    assert not found, "\n".join([*story.lines, _report(seed, found, chosen)])
