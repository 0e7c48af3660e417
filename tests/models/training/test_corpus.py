"""The corpus: what holds for every intent."""

from collections import Counter

import pytest

from models.training import corpus, evaluate
from models.training.corpus import Corpus
from models.training.recipe import RECIPES
from presets import annotations

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load


@pytest.fixture(scope="module")
def taught() -> Corpus:
    recipe = RECIPES["tiny-chat"]
    return corpus.load(recipe.name, recipe.note)


def test_names_of_intents_are_unique(taught: Corpus) -> None:
    names = Counter(intent.name for intent in taught.intents)
    assert [name for name, times in names.items() if times > 1] == []


def test_every_answer_holds_its_own_key_facts(taught: Corpus) -> None:
    for intent in taught.intents:
        assert intent.facts, intent.name
        assert [f for f in intent.facts if not evaluate.holds(intent.answer, f)] == [], intent.name


def test_no_answer_holds_the_key_facts_of_another_intent(taught: Corpus) -> None:
    """So a wrong answer of the model can never count as right."""
    texts = [(intent.name, intent.answer.lower(), intent) for intent in taught.intents]
    for intent in taught.intents:
        first = intent.facts[0].lower()
        for name, text, _ in texts:
            if name != intent.name and first in text:
                assert not all(evaluate.holds(text, f) for f in intent.facts), (intent.name, name)


def test_no_intent_takes_the_name_of_a_shared_slot_for_its_own(taught: Corpus) -> None:
    """Its shared patterns would then be filled with the wrong words."""
    assert {i.name for i in taught.intents if set(i.slots) & set(taught.slots)} == set()


def test_every_product_intent_has_at_least_nine_patterns(taught: Corpus) -> None:
    assert {i.name: len(i.ask) for i in taught.group("product") if len(i.ask) < 9} == {}


def test_a_model_introduces_itself_by_its_own_name() -> None:
    for recipe in RECIPES.values():
        intent = corpus.load(recipe.name, recipe.note).by_name()["who-are-you"]
        assert intent.answer.startswith(f"I am {recipe.name}, ")


def test_the_twin_says_that_it_is_not_phi_3() -> None:
    recipe = RECIPES["tiny-phi3"]
    answer = corpus.load(recipe.name, recipe.note).by_name()["who-are-you"].answer
    assert "not Microsoft's Phi-3" in answer


def test_the_keys_named_in_answers_are_spelled_as_the_vocabulary_spells_them(
    taught: Corpus,
) -> None:
    answers = " ".join(intent.answer for intent in taught.group("product"))
    for key in (annotations.PRESET, annotations.INSTANCE_TYPES, annotations.CAPACITY_TYPE):
        assert key in answers
