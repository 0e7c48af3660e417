"""What a plan costs beside the best that there is, found by trying everything."""

import random

import pytest

from bench.placement import planning


@pytest.mark.parametrize("seed", range(200))
def test_a_single_workload_never_costs_more_than_the_best(seed: int) -> None:
    assert planning.ratio(random.Random(seed), workloads=1) == 1.0


@pytest.mark.parametrize("seed", range(200))
def test_a_mix_costs_at_most_a_tenth_more_than_the_best(seed: int) -> None:
    assert planning.ratio(random.Random(seed), workloads=3) <= 1.1
