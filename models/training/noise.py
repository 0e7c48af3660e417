"""Bends clean sentences into what people type: synonyms, dropped words, typos, odd case."""

import random
import string

from models.training.corpus import Manners

SYNONYM, DROP, LOSE, SWAP, TYPO = 0.35, 0.25, 0.1, 0.08, 0.25
PREFIX, SUFFIX, SETTING = 0.2, 0.15, 0.08
"""Probability per sentence."""
NEGATIONS = frozenset({"not", "don't", "no", "never", "without"})
"""Words that `_lose` leaves alone, for they turn the meaning; a typo may hit the longer ones."""


def bend(text: str, manners: Manners, rng: random.Random) -> str:
    """`text` as somebody in a hurry might have typed it; the meaning stays."""
    words = text.split()
    if rng.random() < SYNONYM:
        words = [_synonym(word, manners, rng) for word in words]
    if rng.random() < DROP and len(words) > 3:
        words = _dropped(words, manners, rng)
    if rng.random() < LOSE and len(words) > 4:
        _lose(words, rng)
    if rng.random() < SWAP and len(words) > 3:
        at = rng.randrange(len(words) - 1)
        words[at], words[at + 1] = words[at + 1], words[at]
    if rng.random() < PREFIX:
        words.insert(0, rng.choice(manners.prefixes))
    if rng.random() < SUFFIX:
        words.append(rng.choice(manners.suffixes))
    if rng.random() < SETTING and manners.settings:
        words = _placed(words, rng.choice(manners.settings), rng)
    if rng.random() < TYPO:
        words = _mistyped(words, rng)
    return _styled(" ".join(words), rng)


def _lose(words: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(words))
    if words[at].lower() not in NEGATIONS:
        del words[at]


def _placed(words: list[str], setting: str, rng: random.Random) -> list[str]:
    """The question with a sentence about the asker before it, or less often behind it."""
    if rng.random() < 0.7:
        return [setting + rng.choice((",", ".", " and", ":")), *words]
    return [*words, rng.choice(("-", "because", "as", "by the way:")), setting]


def _synonym(word: str, manners: Manners, rng: random.Random) -> str:
    others = manners.synonyms.get(word.lower())
    return rng.choice(others) if others else word


def _dropped(words: list[str], manners: Manners, rng: random.Random) -> list[str]:
    kept = [w for w in words if w.lower() not in manners.droppable or rng.random() < 0.5]
    return kept if len(kept) > 1 else words


def _mistyped(words: list[str], rng: random.Random) -> list[str]:
    """One or two words with a letter lost, doubled, swapped or replaced; short words stay."""
    result = list(words)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(result))
        if len(result[at]) > 3 and result[at].isalpha():
            result[at] = _typo(result[at], rng)
    return result


def _typo(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + rng.choice(string.ascii_lowercase) + word[at + 1 :]


def _styled(text: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.35:
        text = text.lower()
    elif draw < 0.7:
        text = text[:1].upper() + text[1:]
    elif draw < 0.73:
        text = text.upper()
    if text.endswith("?"):
        return text
    end = rng.random()
    if end < 0.45:
        return text + "?"
    if end < 0.55:
        return text + "."
    return text + rng.choice(("!", " ?", "...", "??")) if end < 0.6 else text
