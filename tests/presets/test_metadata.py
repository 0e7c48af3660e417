"""Keys of the user: where they stand x known, unknown, ours x what they ask for together."""

import json
from decimal import Decimal

import pytest

from presets import annotations, metadata, request, sources
from presets.adapter_list import Adapter
from presets.field_errors import FieldError
from presets.request import Request


def meta(label: str = "tiny-chat", **held: str) -> dict[str, object]:
    keys = {annotations.PREFIX + key.replace("_", "-"): value for key, value in held.items()}
    return {"labels": {annotations.PRESET: label, "app": "x"}, "annotations": keys}


def errors(of: dict[str, object]) -> list[FieldError]:
    parsed = metadata.parse(of)
    assert isinstance(parsed, list), parsed
    return parsed


def test_a_bare_label_asks_for_the_defaults() -> None:
    assert metadata.parse(meta()) == Request(
        "tiny-chat", instance_types=(), capacity_types=("on-demand",), container="", service=True
    )


def test_every_serving_key_is_read() -> None:
    held = meta(
        instance_types="Standard_NC6s_v3, Standard_NC24s_v3",
        capacity_type="spot,on-demand",
        max_price_per_hour="3.673",
        provision="gate",
        adapters='[{"name":"sql","image":"ghcr.io/org/sql:1","strength":0.5}]',
        runtime="vllm",
        weights="pvc:models/phi-3",
        container="server",
        enablelb="True",
    )
    assert metadata.parse(held) == Request(
        "tiny-chat",
        instance_types=("Standard_NC6s_v3", "Standard_NC24s_v3"),
        capacity_types=("spot", "on-demand"),
        most_per_hour=3_673_000,
        provision="gate",
        adapters=(Adapter("sql", "ghcr.io/org/sql:1", Decimal("0.5")),),
        runtime="vllm",
        weights=sources.Weights("pvc", "models", "phi-3"),
        container="server",
        service=True,
        load_balancer=True,
    )


def test_every_tuning_key_is_read() -> None:
    held = meta(
        tuning_method="qlora",
        tuning_input_urls="https://example.com/a.parquet\n https://example.com/b,c.json",
        tuning_output_image="ghcr.io/org/sql:1",
        tuning_output_push_secret="login",
        tuning_output_pvc="adapters/sql/v1",
        tuning_config="my-params",
    )
    assert metadata.parse(held) == Request(
        "tiny-chat",
        tuning=request.Tuning(
            "qlora",
            input_urls=("https://example.com/a.parquet", "https://example.com/b,c.json"),
            output_image="ghcr.io/org/sql:1",
            output_push_secret="login",
            output_pvc=sources.Claim("adapters", "sql/v1"),
            config="my-params",
        ),
    )


@pytest.mark.parametrize(
    ("label", "annotation", "preset"),
    [
        ("phi-4", None, "phi-4"),
        (None, "microsoft/phi-4", "microsoft/phi-4"),
        ("", "microsoft/phi-4", "microsoft/phi-4"),
        ("phi-4", "phi-4", "phi-4"),
        (None, None, ""),
    ],
)
def test_the_preset_stands_in_the_label_or_in_the_annotation(
    label: str | None, annotation: str | None, preset: str
) -> None:
    labels = {} if label is None else {annotations.PRESET: label}
    noted = {} if annotation is None else {annotations.PRESET: annotation}
    assert metadata.parse({"labels": labels, "annotations": noted}) == Request(preset)


def test_two_different_presets_are_refused() -> None:
    of = meta("phi-4")
    of["annotations"] = {annotations.PRESET: "microsoft/phi-4"}
    (error,) = errors(of)
    assert error.render() == (
        'metadata.annotations[kaito.sh/preset]: "microsoft/phi-4" is another preset than the'
        ' label\'s "phi-4" (InvalidValue)\n  hint: name one of them'
    )


@pytest.mark.parametrize("key", [k for k in annotations.KEYS.values() if k.form])
def test_every_example_is_read_and_written_again(key: annotations.Key) -> None:
    assert key.form is not None
    assert key.form.write(key.form.read(key.example)) == key.example


def test_keys_without_our_prefix_are_the_users() -> None:
    of = {"labels": {annotations.PRESET: "a"}, "annotations": {"kaito.io/x": "1", "preset": "b"}}
    assert metadata.parse(of) == Request("a")


@pytest.mark.parametrize("key", [k for k in annotations.KEYS.values() if k.written_by != "user"])
def test_keys_that_we_write_are_let_pass(key: annotations.Key) -> None:
    field = "labels" if key.is_label else "annotations"
    of = meta()
    of[field] = {**dict(of[field]), key.name: "anything"}  # type: ignore[call-overload]  # a mapping, as built above
    assert metadata.parse(of) == Request("tiny-chat")


USERS_ANNOTATIONS = [k for k in annotations.KEYS.values() if k.form and not k.is_label]


@pytest.mark.parametrize("key", USERS_ANNOTATIONS, ids=lambda key: key.name)
def test_an_annotation_as_a_label_is_refused(key: annotations.Key) -> None:
    (error,) = errors({"labels": {key.name: key.example}})
    assert error.render() == (
        f"metadata.labels[{key.name}]: {json.dumps(key.example)} has no effect as a label"
        " (MisplacedKey)\n  hint: set it as an annotation"
    )


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


def test_an_unknown_key_like_none_gets_them_all() -> None:
    (error,) = errors({"annotations": {"kaito.sh/zzzzzzzz": "x"}})
    assert error.hint.startswith("known under kaito.sh/: preset, instance-types, ")


def test_a_value_that_is_no_text_is_refused() -> None:
    (error,) = errors({"labels": {annotations.PRESET: 3}})
    assert (error.reason, error.value) == (annotations.INVALID_VALUE, 3)


def test_all_mistakes_are_reported_at_once() -> None:
    of = meta(capacity_type="x", adapters="{}", nonsense="1", tuning_config="a")
    of["labels"] = {annotations.SERVICE: "none"}
    assert sorted((error.path, error.reason) for error in errors(of)) == [
        ("metadata.annotations[kaito.sh/adapters]", annotations.INVALID_VALUE),
        ("metadata.annotations[kaito.sh/capacity-type]", annotations.INVALID_VALUE),
        ("metadata.annotations[kaito.sh/nonsense]", annotations.UNKNOWN_KEY),
        ("metadata.annotations[kaito.sh/tuning-config]", annotations.INVALID_VALUE),
        ("metadata.labels[kaito.sh/service]", annotations.MISPLACED_KEY),
    ]


def test_the_service_choice_shapes_no_pods() -> None:
    """Toggling it must not look like another request for pods."""
    assert annotations.inputs(meta(service="none")) == annotations.inputs(meta())
    assert annotations.inputs(meta(container="a")) != annotations.inputs(meta())


def test_user_keys_leave_out_what_we_write() -> None:
    of = {"labels": {annotations.MANAGED: "true"}, "annotations": {annotations.EXPANSION: "{}"}}
    assert annotations.user_keys(of) == {}


def test_null_metadata_parts_are_absent() -> None:
    assert metadata.parse({"labels": None, "annotations": None}) == Request("")
