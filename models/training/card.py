"""The model card: what a model is for, how it was made, what it scores and where it is weak."""

from pathlib import Path
from string import Template
from typing import Any

from models.training.recipe import Recipe

FOLDER = Path(__file__).parent / "cards"
_GROUPS = (
    ("product", "about Plainsail"),
    ("unrelated", "unrelated, to be refused"),
    ("glossary", "words of Kubernetes and language models"),
    ("facts", "simple facts"),
    ("sums", "small sums"),
    ("talk", "small talk"),
    ("all", "all"),
)


def render(recipe: Recipe, found: dict[str, Any]) -> str:
    """The card of `recipe` as Markdown, with the scores of the evaluation `found`."""
    millions = f"{found['parameters'] / 1e6:.2f}"
    purpose = Template((FOLDER / f"{recipe.name}.md").read_text()).substitute(millions=millions)
    return Template((FOLDER / "card.md").read_text()).substitute(
        vars(recipe),
        purpose=purpose.strip(),
        wall=found["training_wall_seconds"],
        cpu=found["training_cpu_seconds"],
        rows="\n".join(_row(label, group, found) for group, label in _GROUPS),
    )


def _row(label: str, group: str, found: dict[str, Any]) -> str:
    alone, late = (share(found[part][group]) for part in ("held_out", "held_out_in_conversation"))
    return f"| {label} | {alone} | {late} |"


def share(score: dict[str, int]) -> str:
    """`right/asked (percent)`."""
    return f"{score['right']}/{score['asked']} ({100 * score['right'] / score['asked']:.0f} %)"
