import copy
import random
from typing import Any

import jsonpatch
import pytest

from webhook import patch


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"a": 1}, [{"op": "add", "path": "/a", "value": 1}]),
        ({"a": 1}, {}, [{"op": "remove", "path": "/a"}]),
        ({"a": None}, {"a": {"b": 1}}, [{"op": "add", "path": "/a", "value": {"b": 1}}]),
        ({"a": {}}, {"a": {"x/y~z": 1}}, [{"op": "add", "path": "/a/x~1y~0z", "value": 1}]),
        ({"a": []}, {"a": [{}]}, [{"op": "add", "path": "/a", "value": [{}]}]),
        ({"a": [{}]}, {"a": [{}, {}]}, [{"op": "add", "path": "/a/-", "value": {}}]),
        ({"a": [{}]}, {"a": [{"b": 1}]}, [{"op": "add", "path": "/a/0/b", "value": 1}]),
        ({"a": [{}, {}]}, {"a": [{}]}, [{"op": "add", "path": "/a", "value": [{}]}]),
        ({"a": 1}, {"a": True}, [{"op": "add", "path": "/a", "value": True}]),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}, []),
    ],
    ids=str,
)
def test_the_operations(before: Any, after: Any, expected: list[dict[str, Any]]) -> None:
    assert patch.between(before, after) == expected


@pytest.mark.parametrize("seed", range(200))
def test_an_independent_applier_agrees(seed: int) -> None:
    """apply(between(a, b), a) == b for any two objects, related or not."""
    draw = random.Random(seed)
    before = {"root": drawn(draw, 4)}
    after = copy.deepcopy(before) if draw.random() < 0.5 else {"root": drawn(draw, 4)}
    after["root2"] = drawn(draw, 2)
    assert jsonpatch.apply_patch(before, patch.between(before, after)) == after


def drawn(draw: random.Random, levels: int) -> Any:
    if levels == 0 or draw.random() < 0.2:
        return draw.choice([None, True, 0, 1, "x", "", [], {}])
    if draw.random() < 0.4:
        return [drawn(draw, levels - 1) for _ in range(draw.randint(0, 3))]
    return {draw.choice(["a", "b/c", "~", ""]): drawn(draw, levels - 1) for _ in range(3)}
