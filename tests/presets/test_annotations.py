"""Keys of the user: where they stand x known, unknown, not built yet x value right or wrong."""

import pytest

from presets import annotations
from presets.annotations import Request
from presets.field_errors import FieldError


def meta(label: str = "tiny-chat", **held: str) -> dict[str, object]:
    keys = {annotations.PREFIX + key.replace("_", "-"): value for key, value in held.items()}
    return {"labels": {annotations.PRESET: label, "app": "x"}, "annotations": keys}


def errors(of: dict[str, object]) -> list[FieldError]:
    parsed = annotations.parse(of)
    assert isinstance(parsed, list), parsed
    return parsed


def test_a_bare_label_asks_for_the_defaults() -> None:
    assert annotations.parse(meta()) == Request(
        "tiny-chat", instance_types=(), capacity_types=("on-demand",), container="", service=True
    )


def test_every_built_key_is_read() -> None:
    held = meta(
        instance_types="Standard_NC6s_v3, Standard_NC24s_v3",
        capacity_type="spot,on-demand",
        container="server",
        service="none",
    )
    assert annotations.parse(held) == Request(
        "tiny-chat",
        instance_types=("Standard_NC6s_v3", "Standard_NC24s_v3"),
        capacity_types=("spot", "on-demand"),
        container="server",
        service=False,
    )


def test_keys_without_our_prefix_are_the_users() -> None:
    of = {"labels": {annotations.PRESET: "a"}, "annotations": {"kaito.io/x": "1", "preset": "b"}}
    assert annotations.parse(of) == Request("a")


@pytest.mark.parametrize("key", [k for k in annotations.KEYS.values() if k.written_by != "user"])
def test_keys_that_we_write_are_let_pass(key: annotations.Key) -> None:
    field = "labels" if key.is_label else "annotations"
    of = meta()
    of[field] = {**dict(of[field]), key.name: "anything"}  # type: ignore[call-overload]  # a mapping, as built above
    assert annotations.parse(of) == Request("tiny-chat")


@pytest.mark.parametrize("key", [k for k in annotations.KEYS.values() if not k.is_supported])
@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_a_key_that_is_not_built_is_refused(key: annotations.Key, field: str) -> None:
    (error,) = errors({field: {key.name: "x"}})
    assert error.reason == annotations.NOT_SUPPORTED_YET
    assert error.path == f"metadata.{field}[{key.name}]"
    assert key.meaning in error.message


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("kaito.sh/instance-type", "kaito.sh/instance-types"),
        ("kaito.sh/presets", "kaito.sh/preset"),
        ("kaito.sh/Container", "kaito.sh/container"),
        ("kaito.sh/adapter", "kaito.sh/adapters"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known(key: str, nearest: str) -> None:
    (error,) = errors({"annotations": {key: "x"}})
    assert error.reason == annotations.UNKNOWN_KEY
    assert error.hint == f'did you mean "{nearest}"?'


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("instance_types", ""),
        ("instance_types", "a,,b"),
        ("instance_types", "a,a"),
        ("instance_types", "no spaces"),
        ("capacity_type", "on_demand"),
        ("capacity_type", "spot,spot"),
        ("container", "Upper"),
        ("container", ""),
        ("service", "None"),
        ("service", ""),
    ],
)
def test_a_wrong_value_is_refused(key: str, value: str) -> None:
    found = errors(meta(**{key: value}))
    assert {error.reason for error in found} == {annotations.INVALID_VALUE}
    assert {error.value for error in found} == {value}


def test_a_value_that_is_no_text_is_refused() -> None:
    (error,) = errors({"labels": {annotations.PRESET: 3}})
    assert (error.reason, error.value) == (annotations.INVALID_VALUE, 3)


def test_all_mistakes_are_reported_at_once() -> None:
    of = meta(capacity_type="x", adapters="[]", nonsense="1")
    assert {error.reason for error in errors(of)} == {
        annotations.INVALID_VALUE,
        annotations.NOT_SUPPORTED_YET,
        annotations.UNKNOWN_KEY,
    }


def test_the_service_choice_shapes_no_pods() -> None:
    """Toggling it must not look like another request for pods."""
    assert annotations.inputs(meta(service="none")) == annotations.inputs(meta())
    assert annotations.inputs(meta(container="a")) != annotations.inputs(meta())


def test_user_keys_leave_out_what_we_write() -> None:
    of = {"labels": {annotations.MANAGED: "true"}, "annotations": {annotations.EXPANSION: "{}"}}
    assert annotations.user_keys(of) == {}


def test_null_metadata_parts_are_absent() -> None:
    assert annotations.parse({"labels": None, "annotations": None}) == Request("")
