"""Where the user's keys are read, and where an error says that they stand."""

from typing import Any

import pytest

from presets import annotations, field_errors
from tests import builders
from webhook import keys

PRESET, SERVICE = annotations.PRESET, annotations.SERVICE


def labelled(workload: str = "", pods: str = "") -> dict[str, Any]:
    made = builders.deployment().selector(app="chat")
    made = made.label(PRESET, workload) if workload else made
    out = made.annotation(SERVICE, "none").build()
    meta = out["spec"]["template"]["metadata"]
    meta["annotations"] = {annotations.CAPACITY_TYPE: "spot"}
    if pods:
        meta["labels"][PRESET] = pods
    return out


@pytest.mark.parametrize(
    ("workload", "on_template", "preset", "inputs"),
    [
        (labelled("tiny-chat"), False, "tiny-chat", {PRESET}),
        (labelled("tiny-chat", "phi-4"), False, "tiny-chat", {PRESET}),
        (labelled("", "phi-4"), True, "phi-4", {PRESET, annotations.CAPACITY_TYPE}),
    ],
    ids=["workload", "both", "pods"],
)
def test_keys_are_read_where_the_label_stands(
    workload: dict[str, Any], preset: str, inputs: set[str], *, on_template: bool
) -> None:
    assert keys.is_labelled(workload)
    assert keys.are_on_template(workload) is on_template
    assert keys.of(workload)["labels"][PRESET] == preset
    assert keys.inputs(workload).keys() == inputs


def test_without_a_label_there_is_nothing_to_read() -> None:
    assert not keys.is_labelled(labelled())


@pytest.mark.parametrize("workload", [None, 1, [], {"labels": [PRESET]}, {"labels": None}])
def test_whatever_stands_for_metadata(workload: object) -> None:
    assert not keys.is_labelled({"metadata": workload})
    assert not keys.is_labelled({"spec": {"template": {"metadata": workload}}})


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"metadata.labels[{PRESET}]", f"spec.template.metadata.labels[{PRESET}]"),
        (
            f"metadata.annotations[{annotations.CAPACITY_TYPE}][1].name",
            f"spec.template.metadata.annotations[{annotations.CAPACITY_TYPE}][1].name",
        ),
        (f"metadata.annotations[{SERVICE}]", f"metadata.annotations[{SERVICE}]"),
    ],
)
def test_an_error_says_where_the_key_stands(path: str, place: str) -> None:
    error = field_errors.FieldError(path, "x", "InvalidValue", "is wrong")
    assert keys.located(labelled("", "phi-4"), error).path == place
    assert keys.located(labelled("phi-4"), error).path == path
