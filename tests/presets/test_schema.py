"""Forms of presets: sound x malformed in every field, one file x several, all errors at once."""

import contextlib
import random

import pytest
import yaml

from presets import preset, schema

SOUND = {
    "family": "f",
    "sources": {"*": "the card"},
    "presets": [
        {
            "name": "a",
            "aliases": ["second"],
            "licence": "MIT",
            "weights": {"hub": "org/A", "size_bytes": 10, "parameters": 5},
            "shape": {
                "architecture": "LlamaForCausalLM",
                "hidden_size": 64,
                "attention_heads": 8,
                "layers": [{"count": 2, "kind": "full", "kv_heads": 2, "head_dim": 8}],
            },
            "dtype": "bfloat16",
            "context_tokens": 128,
        }
    ],
}


def changed(path: str, value: object) -> str:
    """The sound form as text, with one value set (or, for None, taken away)."""
    form = yaml.safe_load(yaml.safe_dump(SOUND))
    place = form["presets"][0]
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return yaml.safe_dump(form)


def complaint(text: str) -> str:
    with pytest.raises(schema.MalformedPresets) as caught:
        schema.parse("f.yaml", text)
    return str(caught.value)


def test_a_sound_family_is_read() -> None:
    (found,) = schema.parse("f.yaml", yaml.safe_dump(SOUND))
    assert found == preset.Preset(
        "a",
        family="f",
        aliases=("org/A", "second"),
        hub_id="org/A",
        licence="MIT",
        gated=None,
        weights=preset.Weights("org/A", "", 10, parameters=5),
        shape=preset.Shape(
            "LlamaForCausalLM", 64, 8, None, None, (preset.LayerGroup(2, "full", 2, 8),)
        ),
        dtype="bfloat16",
        context_tokens=128,
        sources=(("*", "the card"),),
    )


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("name", "Upper", 'name: "Upper" should match pattern'),
        ("name", None, "name: is missing"),
        ("context_tokens", 0, "context_tokens: 0 should be greater than 0"),
        ("context_tokens", True, "context_tokens: true should be a valid integer"),
        ("context_tokens", "4k", "hint: write a whole number without a unit: 4000"),
        ("weights.size_bytes", -1, "weights.size_bytes: -1 should be greater than 0"),
        ("weights.size_bytes", "7.12GiB", "without a unit: 7645041787"),
        ("weights.size_bytes", "big", "hint: write a whole number without a unit ("),
        ("weights.size_bytes", 1.5, "weights.size_bytes: 1.5 should be a valid integer"),
        ("weights.hub", None, "weights: give either hub or directory"),
        ("weights.directory", "d", "weights: give either hub or directory"),
        ("weights.revision", "main", 'weights.revision: "main" should match pattern'),
        ("weights.sise", 2, "weights.sise: 2 is the value of a key that does not exist"),
        ("shape.layers", [], "shape.layers: [] should have at least 1 item"),
        ("shape.layers.0.kind", "window", 'shape.layers[0].kind: "window" should be'),
        ("shape.layers.0.kind", "sliding", "layers of kind sliding need window_tokens"),
        ("shape.layers.0.kind", "latent", "layers of kind latent need latent_dim"),
        ("shape.layers.0.latent_dim", 5, "layers of kind full have no latent_dim"),
        ("shape.layers.0.state_bytes", -5, "state_bytes: -5 should be greater than or equal to 0"),
        ("dtype", "int8", 'dtype: "int8" should be'),
        ("aliases", ["x", "X"], "names an alias twice"),
        ("tuning", ["full"], 'tuning[0]: "full" should be'),
        ("gated", "yes", 'gated: "yes" should be a valid boolean'),
        ("instance_types", ["Standard_X"], "unknown instance types: Standard_X"),
        ("sources", {"weights": ""}, "sources.weights"),
    ],
)
def test_a_malformed_family_names_path_and_value(path: str, value: object, says: str) -> None:
    told = complaint(changed(path, value))
    assert says.removesuffix(" (") in told
    assert told.startswith("f.yaml: presets[0].")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "f.yaml: not YAML: while parsing"),
        ("", "f.yaml: null should be a valid dictionary"),
        ("family: f\npresets: []\n", "f.yaml: presets: [] should have at least 1 item"),
        ("family: f\n", "f.yaml: presets: is missing"),
    ],
)
def test_what_is_no_family_is_refused(text: str, says: str) -> None:
    assert says in complaint(text)


def test_every_problem_of_every_file_is_told_at_once() -> None:
    files = {
        "b.yaml": changed("dtype", "int8"),
        "a.yaml": changed("weights.size_bytes", "7 GiB"),
        "c.yaml": changed("name", "c"),
        "d.yaml": changed("aliases", ["ORG/a"]),
    }
    with pytest.raises(schema.MalformedPresets) as caught:
        schema.parse_all(files)
    assert str(caught.value) == (
        'a.yaml: presets[0].weights.size_bytes: "7 GiB" should be a valid integer'
        " (MalformedPreset)\n"
        "  hint: write a whole number without a unit: 7516192768\n"
        "b.yaml: presets[0].dtype: \"int8\" should be 'bfloat16', 'float16' or 'float32'"
        " (MalformedPreset)\n"
        'd.yaml: presets[0]: "ORG/a" names c.yaml: presets[0] as well (DuplicateName)'
    )


def test_no_text_ends_in_another_exception() -> None:
    """A form with parts replaced at random is read or refused, nothing else."""
    for seed in range(300):
        draw = random.Random(seed)
        path = draw.choice(
            ["name", "weights", "shape", "shape.layers", "shape.layers.0", "serving", "sources"]
        )
        value = draw.choice([1, -1, 0.5, "x", [], {}, [1], {"a": 1}, True, [[]], "1 GiB"])
        with contextlib.suppress(schema.MalformedPresets):
            schema.parse("f.yaml", changed(path, value))
