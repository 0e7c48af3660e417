import json
from pathlib import Path

import pytest

from presets import catalog

CATALOG = catalog.load()

PRESET = """
family: f
presets:
  - name: {name}
    aliases: [{alias}]
    licence: MIT
    weights: {weights}
    dtype: bfloat16
    context_tokens: {context}
    gpus: 1
    instance_types: [{instance_type}]
"""


def family(
    name: str = "a",
    alias: str = "org/a",
    weights: str = "{directory: a, size_bytes: 1}",
    context: str = "1",
    instance_type: str = "Standard_NC6s_v3",
) -> str:
    return PRESET.format(
        name=name, alias=alias, weights=weights, context=context, instance_type=instance_type
    )


def test_the_carried_presets_are_these() -> None:
    assert CATALOG.names == ("phi-3-mini-4k-instruct", "tiny-chat")


@pytest.mark.parametrize(
    "name",
    ["phi-3-mini-4k-instruct", "Phi-3-Mini-4K-Instruct", "microsoft/Phi-3-mini-4k-instruct"],
)
def test_lookup_ignores_case_and_knows_aliases(name: str) -> None:
    found = CATALOG.find(name)
    assert found is not None
    assert found.name == "phi-3-mini-4k-instruct"


def test_phi_3_mini_is_pinned_and_as_large_as_its_parameters() -> None:
    """32,064 tokens, hidden 3,072, 32 layers, FFN 8,192, fused projections, head not tied."""
    found = CATALOG.find("phi-3-mini-4k-instruct")
    assert found is not None
    hidden, ffn = 3072, 8192
    layer = hidden * 3 * hidden + hidden * hidden + hidden * 2 * ffn + ffn * hidden + 2 * hidden
    assert found.weights.size_bytes == 2 * (32 * layer + 2 * 32064 * hidden + hidden)
    assert found.weights.revision == "0a67737cc96d2554230f90338b163bc6380a2a85"
    assert not found.weights.in_image


def test_tiny_chat_is_inside_the_image() -> None:
    found = CATALOG.find("tiny-chat")
    assert found is not None
    assert found.weights.source == "/opt/plainsail/models/tiny-chat"
    assert found.weights.in_image
    assert found.weights.revision == ""


def test_tiny_chat_is_what_the_repository_holds() -> None:
    found = CATALOG.find("tiny-chat")
    assert found is not None
    model = Path(__file__).parents[2] / "models" / "tiny-chat"
    assert found.weights.size_bytes == (model / "model.safetensors").stat().st_size
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    assert found.context_tokens == config["max_position_embeddings"]


def test_an_unknown_name_has_neighbours() -> None:
    assert CATALOG.find("phi-3-mini") is None
    assert CATALOG.nearest("phi-3-mini") == ("phi-3-mini-4k-instruct",)
    assert CATALOG.nearest("TINYCHAT") == ("tiny-chat",)
    assert CATALOG.nearest("zzz") == ()


def test_a_sound_family_is_read() -> None:
    (found,) = catalog.parse("f.yaml", family())
    assert (found.name, found.aliases, found.gpus) == ("a", ("org/a",), 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (family(name="Upper"), "presets.0.name"),
        (family(context="0"), "presets.0.context_tokens"),
        (family(context="4k"), "presets.0.context_tokens"),
        (family(weights="{directory: a, size_bytes: -1}"), "presets.0.weights.size_bytes"),
        (family(weights="{size_bytes: 1}"), "either hub or directory"),
        (family(weights="{hub: a/b, size_bytes: 1}"), "revision with hub"),
        (family(weights="{hub: a/b, revision: main, size_bytes: 1}"), "weights.revision"),
        (family(weights="{directory: a, size_bytes: 1, size: 2}"), "weights.size"),
        (family(instance_type="Standard_X"), "unknown instance types: Standard_X"),
        ("family: f\npresets: []\n", "presets"),
        ("[", "not YAML"),
    ],
)
def test_a_malformed_family_names_the_field(text: str, says: str) -> None:
    with pytest.raises(catalog.MalformedPresets, match=r"f\.yaml") as caught:
        catalog.parse("f.yaml", text)
    assert says in str(caught.value)


def test_every_problem_of_a_family_is_named() -> None:
    with pytest.raises(catalog.MalformedPresets) as caught:
        catalog.parse("f.yaml", family(name="Upper", context="0", instance_type="x"))
    assert len(str(caught.value).splitlines()) == 3


def test_two_presets_cannot_share_a_name() -> None:
    both = (*catalog.parse("f", family()), *catalog.parse("f", family(name="b", alias="ORG/A")))
    with pytest.raises(catalog.MalformedPresets, match="names both a and b"):
        catalog.Catalog(both)
