"""The training loop: the seed decides the weights, and the loss falls."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from models.training import corpus, network, train, vocabulary
from models.training.corpus import Corpus
from models.training.recipe import RECIPES, Recipe

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load

Taught = tuple[Recipe, Corpus, PreTrainedTokenizerFast]
SMALL: dict[str, Any] = {
    "layers": 1,
    "hidden": 32,
    "heads": 2,
    "feed_forward": 48,
    "batch": 8,
    "vocabulary": 600,
}


@pytest.fixture(autouse=True)
def _settings_of_torch_come_back() -> Iterator[None]:
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.fixture(scope="module", params=sorted(RECIPES))
def taught(request: pytest.FixtureRequest) -> Taught:
    """A small recipe of each architecture, with its corpus and a tokenizer."""
    recipe = replace(RECIPES[request.param], **SMALL)
    words = corpus.load(recipe.name, recipe.note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "SAMPLE_TURNS", 100)
        return recipe, words, vocabulary.train(words, recipe.vocabulary, recipe.seed)


def _trained(taught: Taught, **changes: Any) -> tuple[dict[str, torch.Tensor], list[float]]:
    recipe, words, tokenizer = taught
    losses: list[float] = []
    recipe = replace(recipe, **changes)
    model = train.run(recipe, words, tokenizer, lambda _, loss: losses.append(loss))
    return model.state_dict(), losses


def test_equal_seeds_give_equal_weights_bit_for_bit(taught: Taught) -> None:
    first, losses = _trained(taught, steps=2)
    second, again = _trained(taught, steps=2)
    assert losses == again
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_another_seed_gives_other_weights(taught: Taught) -> None:
    first, _ = _trained(taught, steps=1)
    second, _ = _trained(taught, steps=1, seed=99)
    assert not torch.equal(first["lm_head.weight"], second["lm_head.weight"])


def test_the_loss_falls_within_twenty_steps(
    taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "WARM_UP_STEPS", 2)
    _, losses = _trained(taught, steps=20, learning_rate=1e-2)
    assert losses[-1] < losses[0] - 0.5


def test_the_pace_rises_to_the_peak_and_ends_at_a_hundredth() -> None:
    paces = [train.pace(step, 400) for step in range(401)]
    assert max(paces) == paces[train.WARM_UP_STEPS - 1] == 1.0
    assert paces[-1] == pytest.approx(0.01)
    assert sorted(paces[train.WARM_UP_STEPS :], reverse=True) == paces[train.WARM_UP_STEPS :]


def test_an_unknown_architecture_is_refused_by_name() -> None:
    recipe = replace(RECIPES["tiny-chat"], architecture="gpt9")
    with pytest.raises(network.UnknownArchitecture, match="'gpt9' in recipe tiny-chat"):
        network.build(recipe, pad=0, bos=1, eos=2)
