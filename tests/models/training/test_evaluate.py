"""The evaluation: key facts as whole words, scores per group."""

import pytest

from models.training import card, corpus, evaluate
from models.training.corpus import Corpus
from models.training.recipe import RECIPES

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load


@pytest.fixture(scope="module")
def taught() -> Corpus:
    recipe = RECIPES["tiny-chat"]
    return corpus.load(recipe.name, recipe.note)


@pytest.mark.parametrize(
    ("answer", "fact", "expected"),
    [
        ("10 plus 1 is 11.", "0 plus 1 is 1", False),
        ("0 plus 1 is 1.", "0 plus 1 is 1", True),
        ("PORT 80 it is", "port 80", True),
        ("port 8000", "port 80", False),
    ],
    ids=["inside-a-number", "whole", "case", "longer-number"],
)
def test_a_fact_counts_only_as_whole_words(answer: str, fact: str, *, expected: bool) -> None:
    assert evaluate.holds(answer, fact) is expected


def test_the_examination_has_the_size_that_the_card_speaks_of(taught: Corpus) -> None:
    groups = [question.intent.group for question in evaluate.questions("held_out", taught)]
    assert groups.count("product") >= 120
    assert groups.count("unrelated") == 16


def test_every_product_intent_is_examined(taught: Corpus) -> None:
    examined = {question.intent.name for question in evaluate.questions("held_out", taught)}
    assert {intent.name for intent in taught.group("product")} - examined == set()


def test_scores_count_right_answers_by_group(taught: Corpus) -> None:
    asked = [q for q in evaluate.questions("held_out", taught) if q.intent.group == "sums"][:3]
    outcomes = [evaluate.Outcome(q, q.intent.answer) for q in asked[:2]]
    outcomes.append(evaluate.Outcome(asked[2], "no idea"))
    assert evaluate.scores(outcomes) == {
        "sums": {"right": 2, "asked": 3},
        "all": {"right": 2, "asked": 3},
    }
    assert card.share({"right": 2, "asked": 3}) == "2/3 (67 %)"
