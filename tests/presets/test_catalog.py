import json
from pathlib import Path

import pytest

from presets import catalog, preset

CATALOG = catalog.load()

KAITO_030 = [
    "phi-3-mini-4k-instruct",
    "phi-3-mini-128k-instruct",
    "phi-3-medium-4k-instruct",
    "phi-3-medium-128k-instruct",
    "phi-2",
    "falcon-7b",
    "falcon-7b-instruct",
    "falcon-40b",
    "falcon-40b-instruct",
    "mistral-7b",
    "mistral-7b-instruct",
    "llama-2-7b",
    "llama-2-7b-chat",
    "llama-2-13b",
    "llama-2-13b-chat",
    "llama-2-70b",
    "llama-2-70b-chat",
]

OWN = """
family: own
presets:
  - name: {name}
    aliases: [{alias}]
    licence: MIT
    weights: {{hub: {hub}, size_bytes: {size}}}
    shape:
      architecture: LlamaForCausalLM
      hidden_size: 64
      attention_heads: 8
      layers: [{{count: 2, kind: full, kv_heads: 2, head_dim: 8}}]
    dtype: bfloat16
    context_tokens: 128
"""


def own(name: str = "mine", alias: str = "my-model", hub: str = "me/mine", size: str = "9") -> str:
    return OWN.format(name=name, alias=alias, hub=hub, size=size)


def found(name: str, known: catalog.Catalog = CATALOG) -> preset.Preset:
    one = known.find(name)
    assert one is not None, name
    return one


def test_all_presets_of_kaito_and_our_own_are_carried() -> None:
    assert len(CATALOG.names) == 71 + 1


@pytest.mark.parametrize("name", KAITO_030)
def test_every_name_of_kaito_0_3_0_is_a_name_here(name: str) -> None:
    assert found(name).name == name


@pytest.mark.parametrize("known", CATALOG.presets, ids=lambda known: known.name)
def test_names_aliases_and_hub_ids_find_a_preset_in_whatever_case(known: preset.Preset) -> None:
    for name in (known.name, *known.aliases, known.hub_id or known.name):
        assert CATALOG.find(name) is known
        assert CATALOG.find(name.upper()) is known
        assert CATALOG.find(name.lower()) is known


def test_a_hub_id_is_an_alias_without_being_listed() -> None:
    assert found("phi-2").aliases == ("microsoft/phi-2",)


def test_phi_3_mini_is_pinned_and_as_large_as_its_parameters() -> None:
    """32,064 tokens, hidden 3,072, 32 layers, FFN 8,192, fused projections, head not tied."""
    one = found("phi-3-mini-4k-instruct")
    hidden, ffn = 3072, 8192
    layer = hidden * 3 * hidden + hidden * hidden + hidden * 2 * ffn + ffn * hidden + 2 * hidden
    assert one.weights.parameters == 32 * layer + 2 * 32064 * hidden + hidden
    assert one.weights.size_bytes == 2 * one.weights.parameters
    assert one.weights.revision == "0a67737cc96d2554230f90338b163bc6380a2a85"
    assert not one.weights.in_image


def test_tiny_chat_is_inside_the_image() -> None:
    one = found("tiny-chat")
    assert one.weights.source == "/opt/plainsail/models/tiny-chat"
    assert one.weights.in_image
    assert one.weights.revision == ""
    assert one.cpu


def test_tiny_chat_is_what_the_repository_holds() -> None:
    one = found("tiny-chat")
    model = Path(__file__).parents[2] / "models" / "tiny-chat"
    assert one.weights.size_bytes == (model / "model.safetensors").stat().st_size
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    assert one.context_tokens == config["max_position_embeddings"]


def test_an_unknown_name_has_the_nearest_three() -> None:
    assert CATALOG.find("phi-3-mini") is None
    assert CATALOG.nearest("phi-3-mini-4k") == (
        "phi-3-mini-4k-instruct",
        "phi-3-mini-128k-instruct",
        "phi-3.5-mini-instruct",
    )
    assert CATALOG.nearest("TINYCHAT") == ("tiny-chat",)
    assert CATALOG.nearest("zzz") == ()


def test_two_presets_cannot_share_a_name() -> None:
    both = (*catalog.parse("f", own()), *catalog.parse("f", own("b", "B", hub="ME/mine")))
    with pytest.raises(catalog.MalformedPresets, match="names both b and mine"):
        catalog.Catalog(both)


def test_own_presets_are_added() -> None:
    known = catalog.load({"mine.yaml": own()})
    assert found("me/MINE", known).weights.size_bytes == 9
    assert len(known.names) == len(CATALOG.names) + 1


def test_an_own_preset_of_a_carried_name_replaces_it_with_its_aliases() -> None:
    known = catalog.load({"phi.yaml": own("phi-2", "small-phi")})
    assert found("small-phi", known) is found("phi-2", known)
    assert known.find("microsoft/phi-2") is None
    assert known.names == CATALOG.names


def test_an_own_preset_cannot_take_an_alias_of_another() -> None:
    with pytest.raises(catalog.MalformedPresets, match="names both mine and phi-2"):
        catalog.load({"mine.yaml": own(hub="microsoft/phi-2")})


def test_a_directory_is_read_like_the_data_of_a_config_map(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(own())
    (tmp_path / "b.yml").write_text(own("b", "b2", "b/b"))
    (tmp_path / "README.md").write_text("not a preset")
    files = catalog.read_directory(tmp_path)
    assert list(files) == ["a.yaml", "b.yml"]
    assert len(catalog.load(files).names) == len(CATALOG.names) + 2
