"""Laws of the keys over seeds: what is written is read; whatever stands there gets an answer."""

import dataclasses
import random
import string
from decimal import Decimal

import pytest

from presets import annotations, field_errors, forms, metadata, request, sources
from presets.adapter_list import Adapter

IMAGES = (
    "a",
    "org/model",
    "ghcr.io/org/model:1.0_b-c",
    "localhost:5000/a__b/c-d.e:v1",
    "[fd00::1]:5000/a@sha256:" + "0f" * 32,
    "kaito.azurecr.io/a:1@sha256:" + "ab" * 32,
)
TEXTS = (
    "",
    "none",
    "1",
    "a,b",
    "spot,,spot",
    "[]",
    '[{"name":"a","image":"x"}]',
    "[[[",
    "pvc:a/b",
    "image:a:1/b",
    "https://a b",
    "\u00e9\ud800",
    "x" * 300_000,
)


@pytest.mark.parametrize("seed", range(300))
def test_what_is_written_is_read(seed: int) -> None:
    asked = random_request(random.Random(seed))
    assert metadata.parse(metadata.render(asked)) == asked


@pytest.mark.parametrize("seed", range(300))
def test_what_was_read_is_read_again(seed: int) -> None:
    """Other texts of the same wish are written in one way."""
    asked = metadata.parse(random_meta(random.Random(seed)))
    if isinstance(asked, request.Request):
        assert metadata.parse(metadata.render(asked)) == asked


@pytest.mark.parametrize("seed", range(300))
def test_whatever_stands_there_gets_an_answer(seed: int) -> None:
    draw = random.Random(seed)
    parsed = metadata.parse(random_meta(draw))
    if isinstance(parsed, list):
        assert parsed
        assert len(field_errors.render(parsed)) < 1000 * len(parsed)
        assert all(error.message and error.hint for error in parsed)


@pytest.mark.parametrize("seed", range(100))
def test_one_wrong_key_more_is_one_more_told(seed: int) -> None:
    """A mistake hides no other one."""
    draw = random.Random(seed)
    asked = random_request(draw)
    meta = metadata.render(dataclasses.replace(asked, capacity_types=("spot",)))
    meta["annotations"][annotations.CAPACITY_TYPE] = "reserved"
    meta["annotations"]["kaito.sh/nonsense"] = "1"
    parsed = metadata.parse(meta)
    assert isinstance(parsed, list)
    assert {error.reason for error in parsed} == {
        annotations.INVALID_VALUE,
        annotations.UNKNOWN_KEY,
    }


def test_a_bare_request_is_a_label_alone() -> None:
    written = metadata.render(request.Request("phi-4"))
    assert written == {"labels": {annotations.PRESET: "phi-4"}, "annotations": {}}


def test_a_hub_id_is_an_annotation() -> None:
    written = metadata.render(request.Request("org/name"))
    assert written == {"labels": {}, "annotations": {annotations.PRESET: "org/name"}}


def test_every_field_of_a_request_has_a_key() -> None:
    fields = {field.name for field in dataclasses.fields(request.Request)} - {"tuning"}
    fields |= {field.name for field in dataclasses.fields(request.Tuning)}
    assert fields == {key.field for key in annotations.KEYS.values() if key.form}


def random_request(draw: random.Random) -> request.Request:
    """One that `parse` could give."""
    common = {
        "preset": draw.choice(["tiny-chat", "Phi.4_mini", "org/name", "Org-1/na.me_2"]),
        "instance_types": tuple(
            draw.sample(["a", "p4d.24xlarge", "Standard_NC6s_v3"], draw.randrange(4))
        ),
        "capacity_types": draw.choice([("on-demand",), ("spot",), ("spot", "on-demand")]),
        "most_per_hour": draw.choice([None, 1, 3_673_000, draw.randrange(1, 10**9)]),
        "provision": draw.choice([forms.AUTO, forms.GATE, forms.OFF]),
        "weights": random_weights(draw),
        "container": draw.choice(["", "model", "a-1"]),
        "service": draw.random() < 0.5,
    }
    if draw.random() < 0.5:
        return request.Request(**common, tuning=random_tuning(draw))  # type: ignore[arg-type]  # fields by name, as above
    return request.Request(
        **common,  # type: ignore[arg-type]  # as above
        load_balancer=bool(common["service"]) and draw.random() < 0.5,
        runtime=draw.choice([forms.AUTO, forms.TRANSFORMERS, forms.VLLM]),
        adapters=tuple(
            Adapter(f"a{index}", draw.choice(IMAGES), Decimal(draw.randrange(10**6 + 1)) / 10**6)
            for index in range(draw.randrange(11))
        ),
    )


def random_weights(draw: random.Random) -> sources.Weights:
    tagged = [image for image in IMAGES if ":" in image.rpartition("/")[2]]
    return draw.choice(
        [
            sources.FROM_HUB,
            sources.Weights("image"),
            sources.Weights("image", draw.choice(IMAGES)),
            sources.Weights("image", draw.choice(tagged), random_path(draw)),
            sources.Weights("pvc", "models.v1", draw.choice(["", random_path(draw)])),
        ]
    )


def random_tuning(draw: random.Random) -> request.Tuning:
    claim = sources.Claim("data", draw.choice(["", random_path(draw)]))
    inputs: list[dict[str, object]] = [
        {"input_urls": ("https://a/b?c=d&e", "http://[::1]:80/x")},
        {"input_image": draw.choice(IMAGES)},
        {"input_pvc": claim},
    ]
    outputs: list[dict[str, object]] = [
        {"output_image": draw.choice(IMAGES), "output_push_secret": "login"},
        {"output_pvc": claim},
        {"output_image": "a", "output_push_secret": "b.c", "output_pvc": claim},
    ]
    found = {**draw.choice(inputs), **draw.choice(outputs), "config": draw.choice(["", "params"])}
    return request.Tuning(draw.choice([forms.LORA, forms.QLORA]), **found)  # type: ignore[arg-type]  # fields by name, as above


def random_path(draw: random.Random) -> str:
    letters = string.ascii_letters + "0123456789._-:@"
    parts = ("x" + "".join(draw.choices(letters, k=draw.randrange(8))) for _ in range(3))
    return "/".join(list(parts)[: draw.randrange(1, 4)])


def random_meta(draw: random.Random) -> dict[str, object]:
    """Keys of ours and others with right and wrong values in right and wrong places."""
    names = [*annotations.KEYS, "kaito.sh/x", "example.com/x"]
    meta: dict[str, object] = {}
    for field in ("labels", "annotations"):
        held: dict[object, object] = {}
        for name in draw.sample(names, draw.randrange(6)):
            known = annotations.KEYS.get(name)
            right = known.example if known else "x"
            held[name] = draw.choice([right, right, draw.choice(TEXTS), 3, None, [], {}])
        meta[field] = draw.choice([held, held, held, None, []])
    return meta
