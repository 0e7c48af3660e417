"""Every text of what is wrong with a value, or with keys beside each other, once."""

import pytest

from presets import annotations, metadata

INSTANCE_TYPES = "for example Standard_NC6s_v3,Standard_NC24ads_A100_v4"
CAPACITY_TYPES = "on-demand, spot or spot,on-demand"
AMOUNT = "US dollars with at most six decimals and nothing else, for example 3.673"
WEIGHTS = "hub, image, image:REF[/path] or pvc:NAME[/path]"
WEIGHTS_IMAGE = "image:REF or image:REF:TAG/path, for example image:ghcr.io/org/model:1/weights"
WEIGHTS_PVC = "pvc:NAME[/path], for example pvc:models/phi-3"
DNS_LABEL = "at most 63 small letters, digits and dashes"
DNS_SUBDOMAIN = "at most 253 small letters, digits, dashes and dots"
IMAGE = "registry/repository:tag, for example ghcr.io/org/sql:1"
CLAIM = "NAME[/path], for example data/sql"
URLS = "http or https URLs, separated by spaces"
PATH = "has a path with an empty part, a dot for a part, or a blank"


@pytest.mark.parametrize(
    ("key", "value", "message", "hint"),
    [
        ("instance-types", "", "has an empty entry", INSTANCE_TYPES),
        ("instance-types", "a,,b", "has an empty entry", INSTANCE_TYPES),
        ("instance-types", "a,a", "names an entry twice", "each entry once, the preferred first"),
        ("instance-types", "a b", "holds a name that no node label can hold", INSTANCE_TYPES),
        ("capacity-type", "on_demand", "is not a capacity type", CAPACITY_TYPES),
        (
            "capacity-type",
            "spot,spot",
            "names an entry twice",
            "each entry once, the preferred first",
        ),
        ("max-price-per-hour", "0", "is not an amount above zero", AMOUNT),
        ("max-price-per-hour", "$2", "is not an amount above zero", AMOUNT),
        ("max-price-per-hour", "-1", "is not an amount above zero", AMOUNT),
        ("max-price-per-hour", "1e3", "is not an amount above zero", AMOUNT),
        ("max-price-per-hour", "2,50", "is not an amount above zero", AMOUNT),
        ("max-price-per-hour", "0.0000001", "is not an amount above zero", AMOUNT),
        ("max-price-per-hour", "nan", "is not an amount above zero", AMOUNT),
        ("provision", "Auto", "is not a choice", "auto, gate or off"),
        ("runtime", "tgi", "is not a choice", "auto, transformers or vllm"),
        ("weights", "s3://a", "is not a source of weights", WEIGHTS),
        ("weights", "hub:org/name", "is not a source of weights", WEIGHTS),
        ("weights", "pvc", "is not a source of weights", WEIGHTS),
        ("weights", "image:", "names no image that can be", WEIGHTS_IMAGE),
        ("weights", "image:a:1/../b", "names no image that can be", WEIGHTS_IMAGE),
        ("weights", "pvc:", "names no volume claim that can be", WEIGHTS_PVC),
        ("weights", "pvc:a/", PATH, WEIGHTS_PVC),
        ("weights", "pvc:a/b/../c", PATH, WEIGHTS_PVC),
        ("container", "Upper", "is not a container name", DNS_LABEL),
        ("container", "", "is not a container name", DNS_LABEL),
        (
            "service",
            "None",
            "is not a choice",
            "none, or leave the annotation out to get a Service",
        ),
        ("enablelb", "true", "is not a choice", "True or False, with a capital, as KAITO reads it"),
    ],
)
def test_a_wrong_value_is_refused(key: str, value: str, message: str, hint: str) -> None:
    assert wrong({key: value}) == [(key, value, message, hint)]


TUNES = {"tuning-method": "lora", "tuning-input-pvc": "in", "tuning-output-pvc": "out"}


@pytest.mark.parametrize(
    ("key", "value", "message", "hint"),
    [
        ("tuning-method", "QLoRA", "is not a choice", "lora or qlora"),
        ("tuning-input-pvc", "Data", "names no volume claim that can be", CLAIM),
        ("tuning-input-pvc", "data//a", PATH, CLAIM),
        ("tuning-output-pvc", "data/./a", PATH, CLAIM),
        ("tuning-config", "My", "is not the name of an object", DNS_SUBDOMAIN),
    ],
)
def test_a_wrong_value_of_a_run_is_refused(key: str, value: str, message: str, hint: str) -> None:
    assert wrong({**TUNES, key: value}) == [(key, value, message, hint)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param(
            {"tuning-config": "a"},
            [
                (
                    "tuning-config",
                    "a",
                    "has no effect without tuning-method",
                    "tuning-method: lora or qlora",
                )
            ],
            id="no method",
        ),
        pytest.param(
            {"tuning-method": "lora"},
            [
                (
                    "tuning-method",
                    "lora",
                    "has no data to tune on",
                    "exactly one of tuning-input-urls, tuning-input-image, tuning-input-pvc",
                ),
                (
                    "tuning-method",
                    "lora",
                    "has no place for the adapter",
                    "tuning-output-image with tuning-output-push-secret, or tuning-output-pvc",
                ),
            ],
            id="a method alone",
        ),
        pytest.param(
            {**TUNES, "tuning-input-image": "a", "tuning-input-urls": "https://a"},
            [
                (
                    key,
                    value,
                    "is a second input beside tuning-input-urls",
                    "exactly one of tuning-input-urls, tuning-input-image, tuning-input-pvc",
                )
                for key, value in (("tuning-input-image", "a"), ("tuning-input-pvc", "in"))
            ],
            id="three inputs",
        ),
        pytest.param(
            {**TUNES, "tuning-output-image": "a"},
            [
                (
                    "tuning-output-image",
                    "a",
                    "has no Secret to be pushed with",
                    "tuning-output-push-secret: a Secret of type kubernetes.io/dockerconfigjson",
                )
            ],
            id="no Secret",
        ),
        pytest.param(
            {**TUNES, "tuning-output-push-secret": "a"},
            [
                (
                    "tuning-output-push-secret",
                    "a",
                    "has no effect without tuning-output-image",
                    "tuning-output-image: where to push to",
                )
            ],
            id="a Secret alone",
        ),
        pytest.param(
            {**TUNES, "adapters": "[]", "enablelb": "True", "runtime": "vllm"},
            [
                (key, value, "has no effect on a tuning run", "remove it, or tuning-method")
                for key, value in (("adapters", "[]"), ("enablelb", "True"), ("runtime", "vllm"))
            ],
            id="keys of serving",
        ),
        pytest.param(
            {"service": "none", "enablelb": "True"},
            [
                (
                    "enablelb",
                    "True",
                    "has no effect without a Service",
                    "remove it, or service: none",
                )
            ],
            id="no Service",
        ),
    ],
)
def test_keys_that_exclude_each_other_are_refused(
    keys: dict[str, str], expected: list[tuple[str, object, str, str]]
) -> None:
    assert wrong(keys) == expected


@pytest.mark.parametrize(
    ("urls", "at", "value", "message", "hint"),
    [
        ("", "", "", "holds no URL", URLS),
        ("ftp://a/b", "[0]", "ftp://a/b", "is not a URL of data", URLS),
        ("https://a https://b:port/", "[1]", "https://b:port/", "is not a URL of data", URLS),
        ("https://[1", "[0]", "https://[1", "is not a URL of data", URLS),
        ("https:///a", "[0]", "https:///a", "is not a URL of data", URLS),
        ("https://a,https://b", "[0]", "https://a,https://b", "is not a URL of data", URLS),
        ("https://a https://a", "[1]", "https://a", "is named twice", "each URL once"),
        (
            "https://me:secret@a/b",
            "[0]",
            "https://...@...",
            "carries a user or a password, which everyone who reads the Job would see",
            "a URL with a signature, or another input",
        ),
    ],
)
def test_wrong_urls_are_refused_each_by_itself(
    urls: str, at: str, value: str, message: str, hint: str
) -> None:
    keys = {"tuning-method": "lora", "tuning-output-pvc": "out", "tuning-input-urls": urls}
    assert wrong(keys) == [(f"tuning-input-urls{at}", value, message, hint)]


@pytest.mark.parametrize("key", ["tuning-input-image", "tuning-output-image"])
@pytest.mark.parametrize(
    ("image", "hint"),
    [
        ("", IMAGE),
        ("ghcr.io/org/sql:", IMAGE),
        ("https://ghcr.io/a", IMAGE),
        ("-a", IMAGE),
        ("a@sha256:12", IMAGE),
        ("ACR_REPO_HERE.azurecr.io/a:0.0.1", "repository names are written in small letters"),
    ],
)
def test_wrong_images_are_refused(key: str, image: str, hint: str) -> None:
    keys = {"tuning-method": "lora", "tuning-output-pvc": "out", "tuning-output-push-secret": "a"}
    keys |= {"tuning-input-image": "a", "tuning-output-image": "b", key: image}
    assert wrong(keys) == [(key, image, "is not the reference of an image", hint)]


def test_a_hub_id_of_three_parts_is_refused() -> None:
    expected = (
        "preset",
        "a/b/c",
        "is not the name of a model",
        "a name of `plainsail presets`, or org/name of a model hub",
    )
    assert wrong({"preset": "a/b/c"}) == [expected]


def wrong(keys: dict[str, str]) -> list[tuple[str, object, str, str]]:
    """Short key and place, value, message and hint of every error."""
    parsed = metadata.parse({"annotations": {annotations.PREFIX + k: v for k, v in keys.items()}})
    assert isinstance(parsed, list), parsed
    assert {error.reason for error in parsed} == {annotations.INVALID_VALUE}
    start = f"metadata.annotations[{annotations.PREFIX}"
    return sorted(
        (e.path.removeprefix(start).replace("]", "", 1), e.value, e.message, e.hint) for e in parsed
    )
