"""Noise: bends a sentence, never loses it."""

import random
import re

import pytest
from typing_extensions import override

from models.training import noise
from models.training.corpus import Manners

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load

PLAIN = Manners((), (), (), frozenset(), (), {})
PREFIXED = Manners(("hey",), (), ("now",), frozenset(), (), {})


def _calm(rng_seed: int, text: str, manners: Manners) -> str:
    """Bends `text` with a source of chance whose probabilities never fire but in style."""

    class Calm(random.Random):
        draws = 0

        @override
        def random(self) -> float:
            self.draws += 1
            return 0.99 if self.draws <= 8 else super().random()

    return noise.bend(text, manners, Calm(rng_seed))


def test_without_luck_only_case_and_the_end_change() -> None:
    for seed in range(200):
        bent = _calm(seed, "which port does it use", PLAIN)
        assert re.sub(r"[ ?.!]+$", "", bent).lower() == "which port does it use"


def test_equal_seeds_bend_equally() -> None:
    manners = Manners(("hey",), (), ("please",), frozenset({"the"}), (), {"node": ("machine",)})
    text = "who buys the node for the model"
    bent = [noise.bend(text, manners, random.Random(seed)) for seed in range(200)]
    assert bent == [noise.bend(text, manners, random.Random(seed)) for seed in range(200)]
    assert any("machine" in line.lower() for line in bent)
    assert any(line.lower().startswith("hey") for line in bent)


def test_keys_with_signs_get_no_typo() -> None:
    """A key such as kaito.sh/preset reaches the model as it is written."""
    for seed in range(300):
        bent = noise.bend("is kaito.sh/x on", PREFIXED, random.Random(seed))
        assert "kaito.sh/x" in bent.lower()
