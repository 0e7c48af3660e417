import dataclasses
import json
from typing import Any

import pytest

from presets.provision_spec import MalformedProvisionSpec, ProvisionSpec

SPEC = ProvisionSpec(("Standard_NC6s_v3", "Standard_NC24s_v3"), 2, capacity_types=("spot",))


@pytest.mark.parametrize("nodes", [1, 2])
def test_a_spec_survives_the_annotation(nodes: int) -> None:
    spec = dataclasses.replace(SPEC, nodes=nodes)
    assert ProvisionSpec.from_json(spec.to_json()) == spec


def test_the_text_is_pinned() -> None:
    """The planner of another version reads it."""
    assert SPEC.to_json() == (
        '{"capacityTypes":["spot"],"gpuResource":"nvidia.com/gpu","gpus":2,'
        '"instanceTypes":["Standard_NC6s_v3","Standard_NC24s_v3"]}'
    )
    assert dataclasses.replace(SPEC, nodes=2).to_json().endswith('"],"nodes":2}')


def test_keys_of_a_later_version_are_ignored() -> None:
    raw = {**json.loads(SPEC.to_json()), "later": 1}
    assert ProvisionSpec.from_json(json.dumps(raw)) == SPEC


@pytest.mark.parametrize(
    "changed",
    [
        {"gpus": -1},
        {"gpus": True},
        {"gpus": "1"},
        {"nodes": 0},
        {"nodes": True},
        {"gpuResource": ""},
        {"instanceTypes": []},
        {"instanceTypes": "a"},
        {"instanceTypes": [""]},
        {"capacityTypes": None},
        {"capacityTypes": ["on demand"]},
        {"gpuResource": "\ud800"},
        {"instanceTypes": ["a", "\ud800"]},
        pytest.param({"instanceTypes": ["a" * 400]}, id="a name that is too long"),
    ],
    ids=ascii,
)
def test_a_wrong_part_is_named(changed: dict[str, Any]) -> None:
    raw = {**json.loads(SPEC.to_json()), **changed}
    with pytest.raises(MalformedProvisionSpec, match=next(iter(changed))):
        ProvisionSpec.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "\ud800", pytest.param("[" * 200_000, id="too deep to read")],
    ids=ascii,
)
def test_what_is_no_object_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(MalformedProvisionSpec) as caught:
        ProvisionSpec.from_json(text)
    assert len(str(caught.value)) < 200


def test_a_wrong_value_is_repeated_in_part() -> None:
    """An annotation may hold 256 KiB, and an event's message 1 KiB."""
    raw = {**json.loads(SPEC.to_json()), "instanceTypes": ["", "a" * 10_000]}
    with pytest.raises(MalformedProvisionSpec) as caught:
        ProvisionSpec.from_json(json.dumps(raw))
    assert len(str(caught.value)) < 200
