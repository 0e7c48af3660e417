import pytest

from presets import preset
from presets.preset import LayerGroup, Shape


def shape(*layers: LayerGroup, heads: int = 8) -> Shape:
    return Shape("A", 64, heads, 100, 256, layers)


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ([LayerGroup(2, preset.FULL, 8, 16)], "MHA"),
        ([LayerGroup(2, preset.FULL, 2, 16)], "GQA"),
        ([LayerGroup(2, preset.FULL, 1, 16)], "MQA"),
        ([LayerGroup(2, preset.SLIDING, 2, 16, 128)], "GQA"),
        ([LayerGroup(2, preset.LATENT, latent_dim=576)], "MLA"),
        ([LayerGroup(2, preset.STATE, state_bytes=1)], "none"),
        ([LayerGroup(2, preset.FULL, 2, 16), LayerGroup(2, preset.SLIDING, 2, 16, 1)], "hybrid"),
        ([LayerGroup(2, preset.FULL, 2, 16), LayerGroup(2, preset.FULL, 4, 16)], "GQA"),
        ([], "none"),
    ],
)
def test_attention_is_named_by_what_the_layers_remember(
    layers: list[LayerGroup], name: str
) -> None:
    assert shape(*layers).attention == name


def test_layers_of_all_groups_are_counted() -> None:
    groups = (LayerGroup(3, preset.FULL, 1, 1), LayerGroup(4, preset.STATE))
    assert shape(*groups).layer_count == 7


def test_a_key_and_a_value_are_cached_per_head_and_one_vector_of_a_latent_layer() -> None:
    assert LayerGroup(1, preset.FULL, 8, 128).token_values == 2 * 8 * 128
    assert LayerGroup(1, preset.LATENT, latent_dim=576).token_values == 576
    assert LayerGroup(1, preset.STATE, state_bytes=9).token_values == 0


def test_bytes_of_a_parameter_are_unknown_where_parameters_are_not_counted() -> None:
    assert preset.Weights("a/b", "", 100).dtype_bytes is None
    assert preset.Weights("a/b", "", 100, parameters=50).dtype_bytes == 2.0
