"""Fresh questions and conversations for every step of the training, from one seed."""

import random
from dataclasses import dataclass

from models.training import noise, patterns
from models.training.corpus import Corpus, Intent

SHARES = {
    "product": 6.0,
    "talk": 1.0,
    "glossary": 1.0,
    "facts": 0.7,
    "sums": 0.6,
    "unrelated": 1.2,
}
"""How often each group is drawn; within a group every intent is equally likely."""
SYSTEM_SHARE = 0.08
"""Share of conversations that begin with a system message, as many clients send one."""

FRAMED = 0.35
"""Share of the questions of an intent that come from shared frames, if it has any."""
SYLLABLES = tuple(
    onset + vowel + end
    for onset in ("b", "fr", "z", "k", "w", "gl", "m", "tr", "l", "qu", "d", "n", "sn", "pl", "v")
    for vowel in "aeiou"
    for end in ("", "", "n", "p", "x", "r", "ck", "st", "ll", "th", "m", "rg", "z")
)
"""Parts of invented words."""


@dataclass(frozen=True)
class Turn:
    """A question and its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Conversation:
    """Turns in order, with the system message that stands before them, or none."""

    turns: tuple[Turn, ...]
    system: str = ""


class Source:
    """Draws conversations; equal seeds give equal conversations."""

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self._corpus = corpus
        self._rng = random.Random(seed)
        self._groups = [(corpus.group(name), share) for name, share in SHARES.items()]
        self._shares = [share for _, share in self._groups]

    def question(self, intent: Intent) -> str:
        """One question for `intent`, bent as people type."""
        slots = {**self._corpus.slots, **intent.slots}
        if intent.group == "unrelated":
            slots |= {"NONSENSE": (self._nonsense(),), "NUMBER": (self._number(),)}
        ask = intent.ask
        if intent.frames and self._rng.random() < FRAMED:
            ask = self._rng.choice(intent.frames)
        text = patterns.draw(self._rng.choice(ask), slots, self._rng)
        return noise.bend(text, self._corpus.manners, self._rng)

    def turn(self) -> Turn:
        """A question of a group drawn by share, with its answer."""
        intents, _ = self._rng.choices(self._groups, self._shares)[0]
        intent = self._rng.choice(intents)
        return Turn(self.question(intent), intent.answer)

    def conversation(self, turns: int) -> Conversation:
        """`turns` turns that have nothing to do with one another."""
        has_system = self._rng.random() < SYSTEM_SHARE
        system = self._rng.choice(self._corpus.manners.systems) if has_system else ""
        return Conversation(tuple(self.turn() for _ in range(turns)), system)

    def _nonsense(self) -> str:
        syllables = self._rng.choices(SYLLABLES, k=self._rng.choice((1, 2, 2, 3)))
        return "".join(syllables)

    def _number(self) -> str:
        return str(self._rng.randrange(21, self._rng.choice((99, 999, 99999))))
