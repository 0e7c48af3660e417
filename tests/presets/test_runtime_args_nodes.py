"""What a pod of several is told of its part of the model."""

from typing import Any

import pytest

from presets import runtime_args
from presets.runtime_args import nodes


def test_a_part_survives_the_environment() -> None:
    told = {**nodes.shared(3, "big-0.pods", 8), nodes.RANK: "2"}
    assert nodes.read(told) == nodes.Part(nodes=3, rank=2, leader="big-0.pods", gpus=8)
    assert nodes.read({}) is None


@pytest.mark.parametrize(
    "wrong",
    [{nodes.RANK: "2"}, {nodes.RANK: ""}, {nodes.GPUS: "0"}, {nodes.LEADER: ""}, {nodes.COUNT: ""}],
    ids=str,
)
def test_a_pod_that_is_told_nonsense_ends_with_the_reason(wrong: dict[str, str]) -> None:
    """Before Kubernetes 1.28 no pod has the label of its index: the rank is then empty."""
    told = {**nodes.shared(2, "big-0.pods", 8), nodes.RANK: "1", **wrong}
    with pytest.raises(runtime_args.MalformedArguments, match=next(iter(wrong))):
        nodes.read(told)


@pytest.mark.parametrize(
    ("value", "count"), [("2", 2), ("", 1), ("x", 1), ("9" * 5000, 1), (None, 1), (2, 1)]
)
def test_containers_tell_on_how_many_nodes_they_are(value: Any, count: int) -> None:
    """Whatever stands there: the field is the user's to write."""
    app, model = {"name": "app"}, {"name": "model", "env": [{"name": nodes.COUNT, "value": value}]}
    assert nodes.node_count([app, model]) == count
    assert nodes.node_count([app]) == 1
