"""The syntax of names of things elsewhere: images with their paths, objects, files, URLs."""

import time

import pytest

from presets import sources, syntax
from presets.problems import MalformedValue

DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "org/a",
        "a:1",
        f"a@{DIGEST}",
        f"ghcr.io/org/a:1.0@{DIGEST}",
        "localhost:5000/a",
        "[::1]:5000/a",
        "Host/a__b---c.d",
        "a:" + "t" * 128,
    ],
)
def test_an_image_is_one(text: str) -> None:
    assert syntax.is_image(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "a:",
        "a@1",
        "a b",
        "a\n",
        "/a",
        "a/",
        "a//b",
        "a..b",
        "a___b",
        "a:" + "t" * 129,
        "a:1:2",
        "http://a/b",
        "\u0430",
        "a/" * 300 + "a",
    ],
)
def test_other_texts_are_no_image(text: str) -> None:
    assert not syntax.is_image(text)


@pytest.mark.parametrize(
    ("text", "image", "path"),
    [
        ("a", "a", ""),
        ("ghcr.io/org/a", "ghcr.io/org/a", ""),
        ("ghcr.io/org/a:1/w", "ghcr.io/org/a:1", "w"),
        ("ghcr.io/org/a:1/w/x.y", "ghcr.io/org/a:1", "w/x.y"),
        (f"a/b@{DIGEST}/w", f"a/b@{DIGEST}", "w"),
        (f"a/b:1@{DIGEST}/w", f"a/b:1@{DIGEST}", "w"),
        ("localhost:5000/a/w", "localhost:5000/a/w", ""),
        ("localhost:5000/a:1/w", "localhost:5000/a:1", "w"),
        ("model:1/a", "model:1/a", ""),
        ("model:v1/a", "model:v1", "a"),
    ],
)
def test_a_path_follows_a_tag_or_a_digest(text: str, image: str, path: str) -> None:
    assert syntax.image_and_path(text) == (image, path)
    assert sources.read_weights(f"image:{text}") == sources.Weights("image", image, path)


@pytest.mark.parametrize("text", ["", "a:1/", "a:1//b", "a:1/./b", "a:1/b/..", "a:1/b c", "A:v1/b"])
def test_other_texts_are_no_image_with_a_path(text: str) -> None:
    assert syntax.image_and_path(text) is None


@pytest.mark.parametrize("text", ["a", "a-1", "1", "a" * 63])
def test_a_dns_label_is_one(text: str) -> None:
    assert syntax.is_dns_label(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a.b", "a_b", "a" * 64, "a\n"])
def test_other_texts_are_no_dns_label(text: str) -> None:
    assert not syntax.is_dns_label(text)


def test_names_of_objects_are_labels_between_dots() -> None:
    assert syntax.is_dns_subdomain("a.b-1.c")
    assert not syntax.is_dns_subdomain("a..b")
    assert not syntax.is_dns_subdomain(".".join(["a" * 63] * 4))


def test_a_path_stays_inside() -> None:
    assert syntax.is_path("a/..b/c.d/...")
    for text in ("", "/a", "a/", "..", "a/../b", "./a", "a//b", "a\tb", "\u00e9"):
        assert not syntax.is_path(text), text


def test_a_claim_tells_both_mistakes() -> None:
    with pytest.raises(MalformedValue) as caught:
        sources.read_claim("Data//a")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000 + "!", "a." * 100_000, "a-" * 100_000, "a/" * 100_000, "a:1/" + "b/" * 9**5],
)
def test_long_texts_are_read_in_no_time(text: str) -> None:
    """No pattern backtracks: an annotation may hold 256 KiB."""
    began = time.process_time()
    for check in (syntax.is_image, syntax.image_and_path, syntax.is_web_url):
        check(text)
    syntax.is_dns_subdomain(text)
    syntax.is_label_value(text)
    assert time.process_time() - began < 1
