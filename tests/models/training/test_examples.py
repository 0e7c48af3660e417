"""The generator of questions: seeded, and never the source of a held-out question."""

import re
from itertools import chain

import pytest

from models.training import corpus, evaluate, examples, patterns
from models.training.corpus import Corpus
from models.training.recipe import RECIPES

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load


@pytest.fixture(scope="module")
def taught() -> Corpus:
    recipe = RECIPES["tiny-chat"]
    return corpus.load(recipe.name, recipe.note)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def test_equal_seeds_give_equal_conversations_and_others_do_not(taught: Corpus) -> None:
    def drawn(seed: int) -> list[examples.Conversation]:
        source = examples.Source(taught, seed)
        return [source.conversation(2) for _ in range(50)]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_every_intent_can_be_asked(taught: Corpus) -> None:
    source = examples.Source(taught, 5)
    for intent in taught.intents:
        for _ in range(5):
            assert source.question(intent).strip()


@pytest.mark.parametrize("name", ["held_out", "development"])
def test_no_pattern_can_produce_a_question_of_the_examination(taught: Corpus, name: str) -> None:
    """Exhaustive over all sentences that the patterns stand for; case and punctuation aside."""
    asked = [_plain(q.text) for q in evaluate.questions(name, taught)]
    made = {"NONSENSE": f"(?:{'|'.join(set(examples.SYLLABLES))})+", "NUMBER": "[0-9]+"}
    for intent in taught.intents:
        slots = {**taught.slots, **intent.slots}
        for pattern in (*intent.ask, *chain(*intent.frames)):
            expression = re.compile(_expression(pattern, slots, made), re.IGNORECASE)
            assert [text for text in asked if expression.fullmatch(text)] == [], pattern


def _expression(text: str, slots: patterns.Slots, made: dict[str, str]) -> str:
    """The regular expression of all sentences of a pattern."""
    parts, at = [], 0
    for match in re.finditer(r"\[([^\[\]]*)\]|\{([A-Z]+)\}", text):
        parts.append(_spaced(text[at : match.start()]))
        at = match.end()
        if match[2] in made:
            parts.append(made[match[2]])
        else:
            options = slots[match[2]] if match[2] else match[1].split("|")
            parts.append(f"(?:{'|'.join(_expression(o, slots, made) for o in options)})")
    return "".join([*parts, _spaced(text[at:])])


def _spaced(text: str) -> str:
    """Literal text; what is neither letter nor digit matches any blank or none."""
    return re.sub(r"\W+", " *", text)


@pytest.mark.parametrize("name", ["held_out", "development"])
def test_no_bent_question_is_one_of_the_examination(taught: Corpus, name: str) -> None:
    """The noise does not restore one either: 60 draws of each product intent, 4,000 refusals."""
    asked = {_plain(q.text) for q in evaluate.questions(name, taught)}
    source = examples.Source(taught, 7)
    drawn = {
        _plain(source.question(intent))
        for intent in taught.intents
        for _ in range({"product": 60, "unrelated": 4000}.get(intent.group, 20))
    }
    assert asked & drawn == set()


def test_held_out_and_development_questions_have_none_in_common(taught: Corpus) -> None:
    held_out = {_plain(q.text) for q in evaluate.questions("held_out", taught)}
    assert held_out.isdisjoint(_plain(q.text) for q in evaluate.questions("development", taught))
