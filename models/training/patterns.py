"""Patterns of questions: `[give me|I need] an overview of {P}` stands for many sentences."""

import random
import re
from collections.abc import Mapping, Sequence

_ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([A-Z]+)\}")

Slots = Mapping[str, Sequence[str]]
"""Words that may stand for each slot."""


class UnknownSlot(ValueError):
    """A pattern names a slot that nobody filled; the message holds both."""


def draw(pattern: str, slots: Slots, rng: random.Random) -> str:
    """One sentence of `pattern`: an alternative per bracket, a word per slot, single blanks.

    Raises:
        UnknownSlot: the pattern names a slot that is not in `slots`.
    """

    def alternative(match: re.Match[str]) -> str:
        options: list[str] = match[1].split("|")
        return rng.choice(options)

    def word(match: re.Match[str]) -> str:
        if match[1] not in slots:
            raise UnknownSlot(f"{{{match[1]}}} in pattern: {pattern}")
        return rng.choice(slots[match[1]])

    text = _ALTERNATIVES.sub(alternative, pattern)
    while _SLOT.search(text):
        text = _SLOT.sub(word, text)
    return " ".join(text.split())
