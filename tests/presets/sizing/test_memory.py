"""The formulas of the memory bill on figures that can be worked out by hand or are published."""

from dataclasses import replace

import pytest

from presets import preset
from presets.sizing import memory
from tests.presets.models_and_machines import GIB, PHI


def shape(*layers: preset.LayerGroup, heads: int = 32) -> preset.Shape:
    return replace(PHI.shape, layers=layers, attention_heads=heads)


@pytest.mark.parametrize(
    ("model", "group", "per_token"),
    [
        ("phi-3-mini", preset.LayerGroup(32, "full", 32, 96), 393_216),
        ("falcon-7b", preset.LayerGroup(32, "full", 1, 64), 8_192),
        ("falcon-40b", preset.LayerGroup(60, "full", 8, 64), 122_880),
        ("llama-3.1-8b", preset.LayerGroup(32, "full", 8, 128), 131_072),
        ("deepseek-r1", preset.LayerGroup(61, "latent", latent_dim=576), 70_272),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cache_of_one_token(model: str, group: preset.LayerGroup, per_token: int) -> None:
    """Published: config.json of each model, 2 bytes a value."""
    assert memory.kv_bytes(shape(group), 1, 2) == per_token, model
    assert memory.kv_bytes(shape(group), 1000, 2) == 1000 * per_token


def test_a_window_remembers_its_last_tokens_alone() -> None:
    sliding = shape(preset.LayerGroup(10, "sliding", 8, 128, window_tokens=1024))
    assert memory.kv_bytes(sliding, 1024, 2) == memory.kv_bytes(sliding, 100_000, 2)
    assert memory.kv_bytes(sliding, 512, 2) * 2 == memory.kv_bytes(sliding, 1024, 2)


def test_a_state_has_one_size_for_every_length() -> None:
    state = shape(preset.LayerGroup(10, "state", state_bytes=1000))
    assert memory.kv_bytes(state, 1, 2) == memory.kv_bytes(state, 100_000, 2) == 10_000


@pytest.mark.parametrize(
    ("group", "gpus", "share"),
    [
        (preset.LayerGroup(8, "full", 8, 128), 4, 4),
        (preset.LayerGroup(8, "full", 2, 128), 8, 2),
        (preset.LayerGroup(8, "full", 1, 128), 8, 1),
        (preset.LayerGroup(8, "latent", latent_dim=576), 8, 1),
    ],
    ids=["8 heads on 4 GPUs", "2 heads on 8 GPUs", "1 head on 8 GPUs", "latent on 8 GPUs"],
)
def test_tensor_parallelism_divides_key_heads_and_no_latent(
    group: preset.LayerGroup, gpus: int, share: int
) -> None:
    assert memory.kv_bytes(shape(group), 100, 2) == share * memory.kv_bytes(
        shape(group), 100, 2, gpus
    )


def test_a_pipeline_divides_layers_and_the_longest_stage_counts() -> None:
    """33 layers on 4 stages: 9 on the longest."""
    group = preset.LayerGroup(33, "full", 8, 128)
    nine = preset.LayerGroup(9, "full", 8, 128)
    assert memory.kv_bytes(shape(group), 7, 2, pipeline=4) == memory.kv_bytes(shape(nine), 7, 2)


def test_weights_by_dtype() -> None:
    assert memory.weight_bytes(PHI, "float16") == 7_642_159_104
    assert memory.weight_bytes(PHI, "float32") == 2 * 7_642_159_104
    packed = replace(PHI, weights=replace(PHI.weights, quantization="gptq"))
    assert memory.weight_bytes(packed, "float32") == 7_642_159_104


def test_a_stage_holds_its_layers_and_a_table() -> None:
    """Phi-3-mini on two stages: 16 of 32 layers, and one of two tables of 32,064 x 3,072."""
    table = 32_064 * 3072 * 2
    layers = 7_642_159_104 - 2 * table
    held = memory.stage_weight_bytes(PHI, 7_642_159_104, "float16", 1, 2)
    assert held == layers // 2 + table


def test_nf4_takes_four_and_a_half_bits_of_a_linear_weight() -> None:
    """Phi-3-mini: 3,624,078,336 linear weights, two tables in 16 bits."""
    tables = 2 * 32_064 * 3072
    linear = 3_821_079_552 - tables
    assert memory.quantized_bytes(PHI, "bfloat16") == 2 * tables + linear * 9 // 16


def test_trained_values_of_phi_3_mini() -> None:
    """Rank 1: 32 x (4 x (3,072 + 3,072) + 3 x (3,072 + 8,192)) inputs and outputs."""
    assert memory.adapter_parameters(PHI.shape, 1) == 32 * (4 * 6144 + 3 * 11_264)
    assert memory.adapter_parameters(PHI.shape, 16) == 16 * memory.adapter_parameters(PHI.shape, 1)


def test_logits_matter() -> None:
    """The loss over a large vocabulary outweighs every layer that is computed again."""
    large = replace(PHI.shape, vocabulary_size=262_144)
    few = memory.tuning_bytes(PHI.shape, 2048, 2, 1, checkpointing=True)
    many = memory.tuning_bytes(large, 2048, 2, 1, checkpointing=True)
    assert many - few == 14 * 2048 * (262_144 - 32_064)
    assert many > 4 * few


def test_checkpointing_keeps_one_value_in_the_place_of_many() -> None:
    kept = memory.tuning_bytes(PHI.shape, 4096, 2, 1, checkpointing=False)
    again = memory.tuning_bytes(PHI.shape, 4096, 2, 1, checkpointing=True)
    per_layer = 20 * 3072 + 6 * 8192
    assert kept - again == 4096 * 2 * 32 * per_layer


def test_the_capacity_for_a_bill_holds_it_and_no_byte_less_does() -> None:
    for held in (1, GIB, 14 * GIB, 15 * GIB, 70 * GIB, 700 * GIB + 1):
        for count in (1, 8):
            capacity = memory.capacity_for(held, count)
            assert held + memory.overhead_bytes(capacity, count) <= capacity
            less = capacity - 3
            assert held + memory.overhead_bytes(less, count) > less


def test_the_parts_of_a_bill_make_its_total() -> None:
    bill = memory.MemoryBill(7, 6, 5, 4, 3, 2, 30)
    assert sum(amount for _, amount in bill.parts) == bill.total == 27
    assert bill.free == 3
    assert bill.biggest == "weights"
