"""Asks a saved model hand-written questions, the way a user would, and counts what is right."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.training.corpus import Corpus, Intent
from models.training.examples import Source, Turn

FOLDER = Path(__file__).parent / "questions"
EARLIER_TURNS = 3
"""Turns before the question when a model is asked in the middle of a conversation."""


@dataclass(frozen=True)
class Question:
    """A hand-written question and the intent whose key facts its answer must hold."""

    text: str
    intent: Intent


@dataclass(frozen=True)
class Outcome:
    """What a model answered to one question."""

    question: Question
    answer: str

    @property
    def is_right(self) -> bool:
        """Whether the answer holds every key fact."""
        return all(holds(self.answer, fact) for fact in self.question.intent.facts)


def holds(answer: str, fact: str) -> bool:
    """Whether `fact` stands in `answer` as whole words, case aside: "1 + 1" is not in "11 + 1"."""
    return re.search(rf"(?<!\w){re.escape(fact)}(?!\w)", answer, re.IGNORECASE) is not None


class Model:
    """A model directory, loaded with the plain Auto classes."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(folder)
        self._model.eval()

    def answer(self, question: str, earlier: Sequence[Turn] = ()) -> str:
        """The greedy answer to `question` after the turns of `earlier`."""
        messages = [
            message
            for turn in earlier
            for message in (
                {"role": "user", "content": turn.question},
                {"role": "assistant", "content": turn.answer},
            )
        ]
        inputs: Any = self._tokenizer.apply_chat_template(
            [*messages, {"role": "user", "content": question}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        with torch.inference_mode():
            ids = self._model.generate(**inputs)
        start = inputs["input_ids"].shape[1]
        text: str = self._tokenizer.decode(ids[0, start:], skip_special_tokens=True)
        return text


def questions(name: str, corpus: Corpus) -> list[Question]:
    """The questions of `questions/NAME.yaml`, in the order of the file."""
    intents = corpus.by_name()
    raw = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return [
        Question(text, intents[intent])
        for group in raw.values()
        for intent, texts in group.items()
        for text in texts
    ]


def run(model: Model, asked: Sequence[Question]) -> list[Outcome]:
    """Each question asked alone."""
    return [Outcome(question, model.answer(question.text)) for question in asked]


def run_late(model: Model, asked: Sequence[Question], corpus: Corpus, seed: int) -> list[Outcome]:
    """Each question asked after `EARLIER_TURNS` turns about something else."""
    source = Source(corpus, seed)
    return [
        Outcome(question, model.answer(question.text, source.conversation(EARLIER_TURNS).turns))
        for question in asked
    ]


def scores(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """Right and asked, per group and over all."""
    asked = Counter(outcome.question.intent.group for outcome in outcomes)
    right = Counter(outcome.question.intent.group for outcome in outcomes if outcome.is_right)
    table = {group: {"right": right[group], "asked": asked[group]} for group in asked}
    return table | {"all": {"right": right.total(), "asked": asked.total()}}
