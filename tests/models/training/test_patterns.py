"""Patterns: alternatives in brackets, slots in braces."""

import random

import pytest

from models.training import patterns

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load


def test_every_alternative_and_slot_word_can_be_drawn() -> None:
    rng = random.Random(1)
    drawn = {patterns.draw("[give|show] me {N}", {"N": ["one", "two"]}, rng) for _ in range(99)}
    assert drawn == {"give me one", "give me two", "show me one", "show me two"}


def test_an_empty_alternative_leaves_no_double_blank() -> None:
    assert patterns.draw("what is [|] a pod [|]", {}, random.Random(1)) == "what is a pod"


def test_slots_inside_alternatives_are_filled() -> None:
    assert patterns.draw("[{A}|{A}] x", {"A": ["a"]}, random.Random(1)) == "a x"


def test_an_unknown_slot_is_refused_with_its_pattern() -> None:
    with pytest.raises(patterns.UnknownSlot, match=r"\{NOPE\} in pattern: use \{NOPE\}"):
        patterns.draw("use {NOPE}", {}, random.Random(1))
