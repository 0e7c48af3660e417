"""Who decides: the request, then the model, then the surface."""

import pytest

from runtime import sampling
from runtime.sampling import KAITO, OPENAI, Wishes

GREEDY_MODEL = Wishes(do_sample=False)
DRAWING_MODEL = Wishes(do_sample=True, temperature=0.6, top_p=0.9, top_k=20)
SILENT = Wishes()


@pytest.mark.parametrize(
    ("asked", "model", "temperature"),
    [
        pytest.param(SILENT, SILENT, 1.0, id="nobody says: the surface's 1"),
        pytest.param(SILENT, DRAWING_MODEL, 0.6, id="the model's own"),
        pytest.param(SILENT, GREEDY_MODEL, 0.0, id="a greedy model stays greedy"),
        pytest.param(Wishes(temperature=0.7), GREEDY_MODEL, 0.7, id="asked of a greedy model"),
        pytest.param(Wishes(do_sample=True), GREEDY_MODEL, 1.0, id="sampling asked of it"),
        pytest.param(Wishes(temperature=0.0), DRAWING_MODEL, 0.0, id="greedy asked"),
        pytest.param(Wishes(do_sample=False), DRAWING_MODEL, 0.0, id="do_sample false"),
        pytest.param(
            Wishes(do_sample=False, temperature=0.7), SILENT, 0.0, id="do_sample false wins"
        ),
        pytest.param(
            Wishes(do_sample=True), Wishes(temperature=0.3), 0.3, id="the model's temperature"
        ),
    ],
)
def test_temperature(asked: Wishes, model: Wishes, temperature: float) -> None:
    for surface in (OPENAI, KAITO):
        chosen = sampling.choose(asked, model, surface, max_tokens=5)
        assert chosen.temperature == temperature
        assert chosen.greedy == (temperature == 0)


def test_every_other_field_goes_by_the_same_order() -> None:
    chosen = sampling.choose(Wishes(top_p=0.5), DRAWING_MODEL, KAITO, max_tokens=5)
    assert chosen == sampling.Sampling(max_tokens=5, temperature=0.6, top_p=0.5, top_k=20)


@pytest.mark.parametrize("keep_all", [-1, 0])
def test_top_k_may_keep_all_in_either_spelling(keep_all: int) -> None:
    assert sampling.choose(Wishes(top_k=keep_all), SILENT, KAITO, max_tokens=1).top_k == 0


def test_kaito_keeps_ten_and_openai_all() -> None:
    assert sampling.choose(SILENT, SILENT, KAITO, max_tokens=1).top_k == 10
    assert sampling.choose(SILENT, SILENT, OPENAI, max_tokens=1).top_k == 0
