"""`python -m models.training`: train, save, evaluate, write the card."""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.training import card, corpus, evaluate, report, train, vocabulary
from models.training.corpus import Corpus
from models.training.recipe import RECIPES, Recipe

REPORT_EVERY = 50
"""Steps between two lines of progress."""


def build(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Trains `recipe` into `folder` and returns its evaluation, which is written there too."""
    taught = corpus.load(recipe.name, recipe.note)
    cost = _train(recipe, taught, folder)
    found = report.of(recipe, _ask(recipe, taught, folder), cost)
    (folder / "evaluation.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "README.md").write_text(card.render(recipe, found))
    return found


def _train(recipe: Recipe, taught: Corpus, folder: Path) -> report.Cost:
    wall, cpu = time.perf_counter(), time.process_time()

    def progress(step: int, loss: float) -> None:
        if step % REPORT_EVERY == 0 or step == recipe.steps:
            done = f"{recipe.name}: step {step}/{recipe.steps}"
            print(f"{done} loss {loss:.3f} {time.perf_counter() - wall:.0f} s", flush=True)

    tokenizer = vocabulary.train(taught, recipe.vocabulary, recipe.seed)
    network = train.run(recipe, taught, tokenizer, progress)
    cost = report.Cost(
        time.perf_counter() - wall, time.process_time() - cpu, network.num_parameters()
    )
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors writes 0600, which a server under another uid cannot read
    return cost


def _ask(recipe: Recipe, taught: Corpus, folder: Path) -> report.Outcomes:
    model = evaluate.Model(folder)
    held_out = evaluate.questions("held_out", taught)
    return report.Outcomes(
        held_out=evaluate.run(model, held_out),
        in_conversation=evaluate.run_late(model, held_out, taught, recipe.seed),
        development=evaluate.run(model, evaluate.questions("development", taught)),
    )


def main() -> None:
    """Trains the models that the command line names; both without a name."""
    parser = argparse.ArgumentParser(prog="models.training", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--model", choices=sorted(RECIPES), action="append")
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    options = parser.parse_args()
    for name in options.model or RECIPES:
        recipe = RECIPES[name]
        if options.steps is not None:
            recipe = replace(recipe, steps=options.steps)
        found = build(recipe, options.out / name)
        print(f"{name}: held out {found['held_out']}", flush=True)


if __name__ == "__main__":
    main()
