"""Which node suits best: `floor(6 x held + 4 x tight)`."""

import random

import pytest

from scheduler_ext import score
from tests.scheduler_ext.objects import GPU, candidate, node, pod

_SIZES = {"model": 8 * 2**30, "server": 2**30}
_BOTH = tuple(_SIZES.items())


@pytest.mark.parametrize(
    ("images", "free", "expected"),
    [
        pytest.param((), 1, 4, id="nothing there, the last GPU"),
        pytest.param((), 2, 2, id="one GPU stays free"),
        pytest.param((), 8, 0, id="seven stay free"),
        pytest.param(_BOTH, 1, 10, id="all there, the last GPU"),
        pytest.param(_BOTH, 8, 6, id="all there, seven stay free"),
        pytest.param(_BOTH[:1], 8, 5, id="the model without its server"),
        pytest.param(_BOTH[1:], 8, 1, id="the server without its model"),
    ],
)
def test_the_score_is_the_formula(
    images: tuple[tuple[str, int], ...], free: int, expected: int
) -> None:
    asking = pod(images=("model", "server", "seen-nowhere"))
    found = candidate(node=node(images=images), free={GPU: free})
    assert score.score(asking, found, score.wanted(asking, _SIZES)) == expected


def test_the_node_that_holds_the_model_wins_over_every_tighter_one() -> None:
    asking = pod(images=("model",))
    holds = candidate(node=node(images=_BOTH), free={GPU: 8})
    images = score.wanted(asking, _SIZES)
    assert score.score(asking, holds, images) > score.score(asking, candidate(), images)


def test_an_unknown_count_of_devices_is_no_fit_at_all() -> None:
    assert score.score(pod(), candidate(free={}), {}) == 0


@pytest.mark.parametrize("seed", range(200))
def test_scores_are_what_kube_scheduler_takes(seed: int) -> None:
    """Above 10 it fails the pod."""
    draw = random.Random(seed)
    sizes = {f"i{i}": draw.randrange(1, 10**11) for i in range(5)}
    held = tuple(draw.sample(sorted(sizes.items()), draw.randrange(6)))
    asking = pod(images=tuple(draw.sample([*sizes, "other"], draw.randrange(6))))
    found = candidate(node=node(images=held), free={GPU: draw.randrange(-2, 9)})
    assert 0 <= score.score(asking, found, score.wanted(asking, sizes)) <= score.HIGHEST
