"""What an evaluation found, as the JSON that stands beside the weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.training.evaluate import Outcome, scores
from models.training.recipe import Recipe


@dataclass(frozen=True)
class Cost:
    """What the training took."""

    wall_seconds: float
    cpu_seconds: float
    parameters: int


@dataclass(frozen=True)
class Outcomes:
    """The answers to each set of questions."""

    held_out: Sequence[Outcome]
    in_conversation: Sequence[Outcome]
    """The held-out questions again, each after turns about something else."""
    development: Sequence[Outcome]


def of(recipe: Recipe, outcomes: Outcomes, cost: Cost) -> dict[str, Any]:
    """Scores, cost of the training, and every held-out answer."""
    return {
        "model": recipe.name,
        "seed": recipe.seed,
        "steps": recipe.steps,
        "parameters": cost.parameters,
        "training_wall_seconds": round(cost.wall_seconds),
        "training_cpu_seconds": round(cost.cpu_seconds),
        "held_out": scores(outcomes.held_out),
        "held_out_in_conversation": scores(outcomes.in_conversation),
        "development": scores(outcomes.development),
        "answers": [_answer(outcome) for outcome in outcomes.held_out],
        "development_answers": [_answer(outcome) for outcome in outcomes.development],
    }


def _answer(outcome: Outcome) -> dict[str, Any]:
    return {
        "question": outcome.question.text,
        "intent": outcome.question.intent.name,
        "right": outcome.is_right,
        "answer": outcome.answer,
    }
