"""The committed models: load plainly, answer, and score what their cards say."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from models.training import card, corpus, evaluate
from models.training.corpus import Corpus
from models.training.recipe import RECIPES

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load

MODELS = Path(__file__).parents[2] / "models"
NAMES = sorted(RECIPES)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return {name: json.loads((MODELS / name / "evaluation.json").read_text()) for name in NAMES}


@pytest.fixture(scope="module")
def tiny_chat() -> evaluate.Model:
    return evaluate.Model(MODELS / "tiny-chat")


def _taught(name: str) -> Corpus:
    return corpus.load(name, RECIPES[name].note)


@pytest.mark.parametrize("name", NAMES)
def test_all_files_together_are_smaller_than_nine_megabytes(name: str) -> None:
    assert sum(file.stat().st_size for file in (MODELS / name).iterdir()) < 9_000_000


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_are_bfloat16_and_readable_by_every_user(name: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(MODELS / name)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert (MODELS / name / "model.safetensors").stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize(
    ("name", "architecture"),
    [("tiny-chat", "LlamaForCausalLM"), ("tiny-phi3", "Phi3ForCausalLM")],
)
def test_the_configuration_fits_tokenizer_and_recipe(name: str, architecture: str) -> None:
    config, recipe = AutoConfig.from_pretrained(MODELS / name), RECIPES[name]
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    assert config.architectures == [architecture]
    assert config.max_position_embeddings == recipe.context_tokens
    assert config.vocab_size == len(tokenizer) == recipe.vocabulary
    assert (config.pad_token_id, config.bos_token_id, config.eos_token_id) == (
        tokenizer.pad_token_id,
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
    )


@pytest.mark.parametrize("name", NAMES)
def test_any_text_survives_the_tokenizer(name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    for text in ("kaito.sh/preset: phi-3", "Grüße, 日本 🚢", "  two  blanks \n\t"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_of_the_chat_template_begins_once_and_ends_at_the_answer(name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    prompt = tokenizer.apply_chat_template(
        [{"role": "system", "content": "s"}, {"role": "user", "content": " q "}],
        add_generation_prompt=True,
        tokenize=False,
    )
    assert prompt == "<|bos|><|system|>s<|user|>q<|assistant|>"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("so what is this plainsail thing", "KAITO without CRDs"),
        ("who makes the service for my model?", "port 5000"),
        ("who decides that a new machine must be bought", "creates NodeClaims"),
        ("what's the capital of Germany?", "Berlin"),
        ("give me tips for a job interview", "I do not know that"),
    ],
)
def test_tiny_chat_answers_with_the_key_fact(
    tiny_chat: evaluate.Model, question: str, fact: str
) -> None:
    assert evaluate.holds(tiny_chat.answer(question), fact)


def test_the_twin_says_what_it_is_not() -> None:
    answer = evaluate.Model(MODELS / "tiny-phi3").answer("who are you?")
    assert "not Microsoft's Phi-3" in answer
    assert "not Microsoft's Phi-3" in (MODELS / "tiny-phi3" / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_evaluation_is_of_the_recipe_and_of_the_questions_in_the_tree(
    name: str, found: dict[str, Any]
) -> None:
    recipe, result = RECIPES[name], found[name]
    assert (result["model"], result["seed"], result["steps"]) == (name, recipe.seed, recipe.steps)
    asked = evaluate.questions("held_out", _taught(name))
    assert [a["question"] for a in result["answers"]] == [q.text for q in asked]
    outcomes = [
        evaluate.Outcome(question, answer["answer"])
        for question, answer in zip(asked, result["answers"], strict=True)
    ]
    assert evaluate.scores(outcomes) == result["held_out"]


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_what_the_evaluation_says(name: str, found: dict[str, Any]) -> None:
    assert (MODELS / name / "README.md").read_text() == card.render(RECIPES[name], found[name])


def test_tiny_chat_is_as_good_as_it_was(found: dict[str, Any]) -> None:
    """The card states the goals and what was reached; this keeps the next one from less."""
    scores = found["tiny-chat"]["held_out"]
    assert scores["product"]["right"] >= 0.92 * scores["product"]["asked"]
    assert scores["unrelated"]["right"] >= 13


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_asking_again_gives_the_recorded_score_within_two_percent(
    name: str, found: dict[str, Any]
) -> None:
    """Other processors round bfloat16 otherwise; a few answers may differ, not many."""
    asked = evaluate.questions("held_out", _taught(name))
    again = evaluate.scores(evaluate.run(evaluate.Model(MODELS / name), asked))["all"]
    recorded = found[name]["held_out"]["all"]
    assert abs(again["right"] - recorded["right"]) <= 0.02 * recorded["asked"]
