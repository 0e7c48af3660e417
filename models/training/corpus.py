"""What the models are taught: intents, each with one fixed answer and patterns of questions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from models.training import patterns

FOLDER = Path(__file__).parent / "corpus"
REFUSAL = "refusal"


@dataclass(frozen=True)
class Intent:
    """One thing that can be asked."""

    name: str
    group: str
    """`product`, `glossary`, `talk`, `facts`, `sums` or `unrelated`."""
    answer: str
    facts: tuple[str, ...]
    """Texts that an answer must hold, case aside, to count as right."""
    ask: tuple[str, ...]
    """Patterns of the questions, see `patterns.draw`."""
    frames: tuple[tuple[str, ...], ...] = ()
    """Patterns shared by many intents, by kind, that `slots` make this intent's own."""
    slots: patterns.Slots = field(default_factory=dict)
    """Slots of this intent alone."""


@dataclass(frozen=True)
class Manners:
    """How people wrap and bend their questions."""

    prefixes: tuple[str, ...]
    settings: tuple[str, ...]
    """Sentences about the asker that change nothing."""
    suffixes: tuple[str, ...]
    droppable: frozenset[str]
    systems: tuple[str, ...]
    synonyms: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Corpus:
    """All intents, the slots that they share, and manners."""

    intents: tuple[Intent, ...]
    slots: patterns.Slots
    manners: Manners

    def group(self, name: str) -> tuple[Intent, ...]:
        """The intents of one group, in the order of the files."""
        return tuple(intent for intent in self.intents if intent.group == name)

    def by_name(self) -> dict[str, Intent]:
        """Intents by name."""
        return {intent.name: intent for intent in self.intents}


def load(model_name: str, model_note: str) -> Corpus:
    """The corpus for a model that says of itself: I am `model_name`, `model_note`."""
    intents = [
        *_framed(_listed("product"), _read("topics")),
        *_glossary(_read("glossary")),
        *_listed("talk"),
        *_tables(_read("facts")),
        *_sums(_read("sums")),
        _unrelated(_read("unrelated")),
    ]
    named = tuple(_introduce(intent, model_name, model_note) for intent in intents)
    return Corpus(named, _read("slots"), _manners(_read("manners")))


def _introduce(intent: Intent, name: str, note: str) -> Intent:
    def fill(text: str) -> str:
        return text.replace("MODEL_NAME", name).replace("MODEL_NOTE", note)

    return replace(intent, answer=fill(intent.answer), facts=tuple(map(fill, intent.facts)))


def _read(name: str) -> Any:  # noqa: ANN401 - five files of five shapes, each taken apart below
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line)


def _listed(group: str) -> Iterator[Intent]:
    for raw in _read(group):
        yield Intent(raw["id"], group, raw["answer"], tuple(raw["facts"]), _lines(raw["ask"]))


def _framed(intents: Iterable[Intent], raw: dict[str, Any]) -> Iterator[Intent]:
    frames = tuple(_lines(raw["frames"][kind]) for kind in ("about", "deed", "say"))
    for intent in intents:
        phrases = raw["intents"][intent.name]
        slots = {kind.upper(): tuple(text.split("|")) for kind, text in phrases.items()}
        yield replace(intent, frames=frames, slots=slots)


def _glossary(raw: dict[str, Any]) -> Iterator[Intent]:
    ask = tuple(line.replace("TERM", "{TERM}") for line in _lines(raw["every"]))
    for word in raw["intents"]:
        slots = {"TERM": tuple(word["terms"])}
        facts, own = tuple(word["facts"]), tuple(word.get("ask", ()))
        yield Intent(word["id"], "glossary", word["answer"], facts, (*ask, *own), slots=slots)


def _tables(raw: list[dict[str, Any]]) -> Iterator[Intent]:
    for table in raw:
        for a, b in table["rows"].items():
            values = {"A": a, "B": str(b), "UNIT": str(b).rsplit(maxsplit=1)[-1]}
            name = f"{table['family']}-{a.lower().replace(' ', '-')}"
            yield _of_row(name, "facts", table, values)


def _sums(raw: dict[str, Any]) -> Iterator[Intent]:
    numbers = range(raw["largest"] + 1)
    for a in numbers:
        for b in numbers:
            values = {"A": str(a), "B": str(b), "C": str(a + b)}
            yield _of_row(f"{a}+{b}", "sums", raw, values)


def _of_row(name: str, group: str, table: Mapping[str, str], values: Mapping[str, str]) -> Intent:
    letters = re.compile(rf"\b({'|'.join(values)})\b")

    def fill(text: str) -> str:
        return letters.sub(lambda match: values[match[1]], text)

    ask = tuple(fill(line) for line in _lines(table["ask"]))
    return Intent(name, group, fill(table["answer"]), (fill(table["fact"]),), ask)


def _unrelated(raw: dict[str, Any]) -> Intent:
    slots = {key: tuple(words) for key, words in raw.items() if key.isupper()}
    ask = _lines(raw["ask"])
    return Intent(REFUSAL, "unrelated", raw["answer"], tuple(raw["facts"]), ask, slots=slots)


def _manners(raw: dict[str, Any]) -> Manners:
    return Manners(
        prefixes=tuple(raw["prefixes"]),
        settings=tuple(raw["settings"]),
        suffixes=tuple(raw["suffixes"]),
        droppable=frozenset(raw["droppable"]),
        systems=tuple(raw["systems"]),
        synonyms={word: tuple(others) for word, others in raw["synonyms"].items()},
    )
