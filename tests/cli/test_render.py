import json

import pytest
import yaml

from cli import manifests, render

TEXTS = [
    "1",
    "1e3",
    "0x1F",
    "2024-01-01",
    "1:30",
    ".5",
    "-",
    "yes",
    "on",
    "y",
    "n",
    "null",
    "~",
    "",
]
TEXTS += ["=", "a: b", "#x", "two\nlines", "two\nlines\n", " lead", "tail ", "ü", "1Gi", "500m"]
TEXTS += [
    "\t",
    "a\tb",
    "a\r\nb",
    "\x85",
    "a\x85b\n",
    "\u2028",
    "a\nb\u2029",
    "x" * 5000,
    "---",
    "'",
    '"',
    "{}",
    "- a",
    "!x",
    "*a",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_stays_text(text: str) -> None:
    """Through our own reader and through one that knows dates."""
    out = render.as_yaml({"a": text, text: "a"})
    assert yaml.safe_load(out) == {"a": text, text: "a"}
    (document,) = manifests.read("f", out)
    assert document.objects == ({"a": text, text: "a"},)


@pytest.mark.parametrize("text", ["y", "n", "Y", "N", "1e3", "1_000", "08"])
def test_what_other_readers_misread_is_quoted(text: str) -> None:
    """Plain `y` and `1e3` are a truth value and a number to the reader of kubectl."""
    assert render.as_yaml({"a": text}) in (f'a: "{text}"\n', f"a: '{text}'\n")


def test_keys_keep_their_order() -> None:
    assert render.as_yaml({"b": 1, "a": [{"d": 1, "c": 2}]}) == "b: 1\na:\n  - d: 1\n    c: 2\n"


def test_one_object_is_one_object_and_several_are_a_list() -> None:
    assert json.loads(render.as_json([{"a": 1}])) == {"a": 1}
    assert json.loads(render.as_json([{"a": 1}, {"b": 1}]))["items"] == [{"a": 1}, {"b": 1}]
