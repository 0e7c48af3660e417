"""Configs of every kind of model: attention x windows x hybrids x mixtures x storage x mistakes.

Sizes of carried models are held against published ones in test_models.py.
"""

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from presets import derive
from presets.derive import parameters
from presets.derive.config import Config
from presets.derive.model import CONTEXT_NAMES, DEFAULT_CONTEXT_TOKENS
from presets.preset import FULL, LATENT, SLIDING, STATE, LayerGroup, Preset
from tests.presets.models_and_machines import source_of

HERE = Path(__file__).parents[1]

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 256,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
MAMBA = {"mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2}
MAMBA_LAYER = LayerGroup(1, STATE, state_bytes=128 * 16 * 4 + 128 * 3 * 2)
GATED_DELTA = {
    "linear_num_key_heads": 4,
    "linear_num_value_heads": 8,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 32,
    "linear_conv_kernel_dim": 4,
}
GATED_LAYER = LayerGroup(1, STATE, state_bytes=8 * 16 * 32 * 4 + (2 * 4 * 16 + 8 * 32) * 3 * 2)


def model(**changes: Any) -> Preset:
    return derive.preset({**LLAMA, **changes}, "org/Model")


def errors(raw: object) -> str:
    with pytest.raises(derive.MalformedConfig) as caught:
        derive.preset(raw, "org/Model")
    return str(caught.value)


def times(count: int, group: LayerGroup) -> LayerGroup:
    return LayerGroup(count, *(getattr(group, name) for name in FIELDS))


FIELDS = ("kind", "kv_heads", "head_dim", "window_tokens", "latent_dim", "state_bytes")
WHOLE = LayerGroup(1, FULL, 2, 8)
WINDOW = LayerGroup(1, SLIDING, 2, 8, 512)
NOTHING = LayerGroup(1, STATE)


@pytest.mark.parametrize(
    ("changes", "attention", "layer"),
    [
        ({}, "GQA", WHOLE),
        ({"num_key_value_heads": None}, "MHA", LayerGroup(1, FULL, 8, 8)),
        ({"num_key_value_heads": 1}, "MQA", LayerGroup(1, FULL, 1, 8)),
        ({"head_dim": 32}, "GQA", LayerGroup(1, FULL, 2, 32)),
        ({"multi_query": True, "num_kv_heads": 8}, "MQA", LayerGroup(1, FULL, 1, 8)),
        ({"multi_query": True, "new_decoder_architecture": True}, "GQA", WHOLE),
        (
            {"kv_lora_rank": 32, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8},
            "MLA",
            LayerGroup(1, LATENT, latent_dim=40),
        ),
        ({"sliding_window": 512}, "GQA", WINDOW),
        ({"sliding_window": 4096}, "GQA", WHOLE),
        ({"sliding_window": 512, "use_sliding_window": False}, "GQA", WHOLE),
    ],
    ids=str,
)
def test_layers_that_are_all_alike(
    changes: dict[str, Any], attention: str, layer: LayerGroup
) -> None:
    shape = model(**changes).shape
    assert (shape.attention, shape.layers) == (attention, (times(8, layer),))


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        (
            {"sliding_window": 512, "sliding_window_pattern": 4},
            [(6, WINDOW), (2, WHOLE)],
        ),
        ({"sliding_window": 512, "model_type": "gemma2"}, [(4, WINDOW), (4, WHOLE)]),
        ({"sliding_window": 512, "model_type": "gemma3_text"}, [(7, WINDOW), (1, WHOLE)]),
        (
            {"sliding_window": 512, "use_sliding_window": True, "max_window_layers": 5},
            [(5, WHOLE), (3, WINDOW)],
        ),
        (
            {"layer_types": ["sliding_attention", "full_attention"] * 4, "sliding_window": 512},
            [(4, WINDOW), (4, WHOLE)],
        ),
        ({"full_attention_interval": 4, **GATED_DELTA}, [(6, GATED_LAYER), (2, WHOLE)]),
        (
            {"layer_types": ["linear_attention"] * 3 + ["full_attention"] * 5, **GATED_DELTA},
            [(3, GATED_LAYER), (5, WHOLE)],
        ),
        (
            {"attn_layer_period": 4, "attn_layer_offset": 2, **MAMBA},
            [(6, MAMBA_LAYER), (2, WHOLE)],
        ),
        ({"attn_layer_indices": [1, 5], **MAMBA}, [(6, MAMBA_LAYER), (2, WHOLE)]),
        (
            {"hybrid_override_pattern": "M-M*EM-*", **MAMBA},
            [(3, MAMBA_LAYER), (3, NOTHING), (2, WHOLE)],
        ),
        (
            {"layers_block_type": ["mamba", "attention", "moe", "mlp"] * 2, **MAMBA},
            [(2, MAMBA_LAYER), (2, WHOLE), (4, NOTHING)],
        ),
        ({"num_kv_shared_layers": 3}, [(5, WHOLE), (3, NOTHING)]),
        (
            {"attention_chunk_size": 512, "no_rope_layers": [1, 1, 1, 0] * 2},
            [(6, WINDOW), (2, WHOLE)],
        ),
        ({"attention_chunk_size": 512}, [(6, WINDOW), (2, WHOLE)]),
        (
            {"block_types": ["recurrent", "recurrent", "attention"], "lru_width": 64},
            [(6, LayerGroup(1, STATE, state_bytes=64 * (4 + 3 * 2))), (2, WHOLE)],
        ),
        (
            {"layer_types": ["conv"] * 6 + ["full_attention"] * 2, "conv_L_cache": 3},
            [(6, LayerGroup(1, STATE, state_bytes=64 * 3 * 2)), (2, WHOLE)],
        ),
        (
            {
                "linear_attn_config": {
                    "full_attn_layers": [4, 8],
                    "num_heads": 4,
                    "head_dim": 16,
                    "short_conv_kernel_size": 4,
                }
            },
            [(6, LayerGroup(1, STATE, state_bytes=4 * 16 * (16 * 4 + 3 * 3 * 2))), (2, WHOLE)],
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_layers_that_differ(changes: dict[str, Any], groups: list[tuple[int, LayerGroup]]) -> None:
    shape = model(**changes).shape
    assert shape.layers == tuple(times(count, group) for count, group in groups)
    assert shape.layer_count == 8
    assert shape.attention == "hybrid"


def test_global_layers_may_have_other_heads() -> None:
    groups = model(
        layer_types=["sliding_attention", "full_attention"] * 4,
        sliding_window=512,
        global_head_dim=16,
        num_global_key_value_heads=1,
        attention_k_eq_v=True,
    ).shape.layers
    assert groups == (times(4, WINDOW), LayerGroup(4, FULL, 1, 16))


def test_mamba_2_convolves_its_groups_as_well() -> None:
    heads = {"mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 32, "n_groups": 2}
    types = {"hybrid_override_pattern": "M" * 8, "conv_kernel": 4}
    (group,) = model(**heads, **types).shape.layers
    assert group.state_bytes == 64 * 32 * 4 + (64 + 2 * 2 * 32) * 3 * 2


def test_a_state_space_model_attends_nowhere() -> None:
    raw = {
        "model_type": "falcon_mamba",
        "hidden_size": 64,
        "num_hidden_layers": 8,
        "state_size": 16,
        "conv_kernel": 4,
        "expand": 2,
        "vocab_size": 1000,
    }
    shape = derive.preset(raw, "org/m").shape
    assert (shape.attention, shape.attention_heads) == ("none", 0)
    assert shape.layers == (times(8, MAMBA_LAYER),)


def test_parameters_of_a_dense_model_are_its_matrices() -> None:
    layer = 2 * 64 * 64 + 2 * 64 * 16 + 3 * 64 * 256
    assert model().weights.parameters == 8 * layer + 2 * 1000 * 64
    assert model(tie_word_embeddings=True).weights.parameters == 8 * layer + 1000 * 64


def test_experts_count_all_and_the_mlp_of_a_token_only_the_chosen() -> None:
    mixture = {"num_local_experts": 16, "num_experts_per_tok": 2, "first_k_dense_replace": 1}
    found = model(**mixture, moe_intermediate_size=32, n_shared_experts=1)
    attention = 2 * 64 * 64 + 2 * 64 * 16
    sparse = 16 * 64 + 3 * 64 * 32 * (16 + 1)
    assert found.weights.parameters == 8 * attention + 3 * 64 * 256 + 7 * sparse + 2 * 1000 * 64
    assert found.shape.intermediate_size == 3 * 32


PUBLISHED = yaml.load((HERE / "published.yaml").read_text(), Loader=yaml.CSafeLoader)
CONFIGS = yaml.load((HERE / "configs.yaml").read_text(), Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("name", [n for n in CONFIGS if PUBLISHED[n]["parameters"]])
def test_as_many_parameters_as_transformers_builds(name: str) -> None:
    """Norms and biases, which are left out, are below 0.04 %."""
    config = Config(CONFIGS[name]["config"])
    context = config.number(*CONTEXT_NAMES) or DEFAULT_CONTEXT_TOKENS
    counted = parameters.count(config, context)
    language = counted.total - counted.towers - counted.prediction
    assert language == pytest.approx(PUBLISHED[name]["parameters"], rel=0.0004)


@pytest.mark.parametrize(
    ("stored", "name", "bits"),
    [
        ({"quant_method": "fp8"}, "fp8", 8.002),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq", 4.156),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "gptq", 8),
        ({"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True}, "awq", 4.3125),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bnb", 4.5),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bnb", 8),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4", 4.5),
        ({"quant_method": "mxfp4"}, "mxfp4", 4.25),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 8, "type": "int"}}},
            },
            "int8",
            8.125,
        ),
    ],
    ids=lambda value: str(value.get("quant_method")) if isinstance(value, dict) else str(value),
)
def test_quantization_narrows_the_layers_and_leaves_the_tables(
    stored: dict[str, Any], name: str, bits: float
) -> None:
    found = model(quantization_config=stored)
    tables = 2 * 1000 * 64
    assert found.weights.quantization == name
    assert found.weights.parameters is not None
    linear = found.weights.parameters - tables
    assert found.weights.size_bytes == pytest.approx(tables * 2 + linear * bits / 8, rel=0.001)
    assert found.tuning.methods == ()


def test_the_sizes_of_files_win_over_an_estimate() -> None:
    files = {
        "model-00001-of-00002.safetensors": 10,
        "model-00002-of-00002.safetensors": 20,
        "consolidated.safetensors": 30,
        "original/model.safetensors": 30,
        "metal/model.bin": 30,
        "config.json": 1,
    }
    found = derive.preset(LLAMA, "org/Model", weight_files=files)
    assert found.weights.size_bytes == 30
    assert source_of(found, "weights") == "sizes of the weight files"
    assert source_of(model(), "weights").startswith("estimated")


@pytest.mark.parametrize(
    ("files", "size"),
    [
        ({"pytorch_model.bin": 7}, 7),
        ({"pytorch_model.bin": 7, "model.safetensors": 5}, 5),
        ({"consolidated.safetensors": 9}, 9),
    ],
)
def test_files_that_are_loaded_are_counted_once(files: dict[str, int], size: int) -> None:
    assert derive.preset(LLAMA, "a/b", weight_files=files).weights.size_bytes == size


def test_the_language_model_of_a_multimodal_config_is_read() -> None:
    inner = {key: value for key, value in LLAMA.items() if key != "architectures"}
    raw = {"architectures": ["A"], "model_type": "a", "text_config": inner, "vision_config": {}}
    assert derive.preset(raw, "org/Model").shape.layers == model().shape.layers
    assert derive.preset(raw, "org/Model").shape.architecture == "A"


def test_the_context_is_found_in_kaitos_order() -> None:
    names = list(CONTEXT_NAMES)
    raw = {name: 1000 + index for index, name in enumerate(names)}
    rest = {key: value for key, value in LLAMA.items() if key not in names}
    for index, name in enumerate(names):
        assert derive.preset({**rest, **raw}, "a/b").context_tokens == 1000 + index
        del raw[name]
    assert derive.preset(rest, "a/b").context_tokens == 2048


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("Qwen/Qwen3-8B", "qwen3-8b"),
        ("/models/My Model/", "my-model"),
        ("a/" + "x" * 80, "x" * 63),
        ("a/___", "model"),
    ],
)
def test_the_name_is_the_last_part_fit_for_a_label(source: str, name: str) -> None:
    assert derive.name_of(source) == name


def test_what_a_preset_says_of_a_model() -> None:
    found = model(auto_map={"AutoModel": "x"})
    assert (found.name, found.hub_id, found.aliases) == ("model", "org/Model", ("org/Model",))
    assert (found.dtype, found.gated, found.cpu) == ("bfloat16", None, True)
    assert found.tuning.methods == ("lora", "qlora")
    assert found.serving.trust_remote_code


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hidden_size": None}, "hidden_size: is missing (or n_embd, d_model)"),
        ({"hidden_size": -4}, "hidden_size: -4 is less than 1"),
        ({"hidden_size": "64"}, 'hidden_size: "64" is not a whole number'),
        ({"hidden_size": True}, "hidden_size: true is not a whole number"),
        ({"hidden_size": 60}, "hidden_size: 60 is not a multiple of the 8 attention heads"),
        ({"num_key_value_heads": 3}, "num_key_value_heads: 3 does not divide the 8"),
        ({"vocab_size": None}, "vocab_size: is missing"),
        ({"num_hidden_layers": None}, "num_hidden_layers: is missing"),
        ({"num_hidden_layers": 10**9}, "is more layers than the 10000 that are counted"),
        ({"layer_types": ["full_attention", "x"] * 4}, 'layer_types[1]: "x" is not a known kind'),
        ({"layer_types": ["full_attention"]}, "is more than the 1 layers that the config lists"),
        ({"layer_types": "full"}, 'layer_types: "full" is not a list of strings'),
        ({"torch_dtype": "int8"}, 'torch_dtype: "int8" is not a type to compute in'),
        ({"kv_lora_rank": 8}, "qk_rope_head_dim: is missing"),
        ({"full_attention_interval": 2}, "linear_num_key_heads: is missing"),
        ({"hybrid_override_pattern": "M" * 8}, "ssm_state_size: is missing"),
        ({"hybrid_override_pattern": "MQ*****-"}, 'hybrid_override_pattern[1]: "Q" is not'),
        ({"is_encoder_decoder": True}, "is a model with an encoder"),
        ({"block_configs": [{}]}, "gives every layer a shape of its own"),
        ({"quantization_config": {"quant_method": "magic"}}, '"magic" is not a known method'),
        ({"quantization_config": []}, "quantization_config: [] is not an object"),
        ({"tie_word_embeddings": "no"}, 'tie_word_embeddings: "no" is neither true nor false'),
    ],
    ids=str,
)
def test_a_malformed_config_names_path_and_value(changes: dict[str, Any], says: str) -> None:
    assert says in errors({**LLAMA, **changes})


def test_paths_of_a_nested_config_are_whole() -> None:
    raw = {"text_config": {**LLAMA, "hidden_size": 0, "vocab_size": None}}
    told = errors(raw)
    assert "text_config.hidden_size: 0 is less than 1" in told
    assert "text_config.vocab_size: is missing" in told


@pytest.mark.parametrize("raw", [[], "x", None, 3, {}])
def test_what_is_no_config_is_refused(raw: object) -> None:
    assert errors(raw)


def test_all_mistakes_are_told_at_once() -> None:
    told = errors({**LLAMA, "hidden_size": 0, "num_hidden_layers": "8", "torch_dtype": "x"})
    assert [line.split(":")[0] for line in told.splitlines() if not line.startswith(" ")] == [
        *("hidden_size", "num_hidden_layers", "torch_dtype"),
    ]


VALUES = [None, -1, 0, 1, 7, 2.5, "x", True, [], [1], ["full_attention"], {}, {"a": 1}]


@pytest.mark.slow
def test_no_config_ends_in_another_exception() -> None:
    """Carried configs with values replaced at random are read or refused, nothing else."""
    names, taken = sorted(CONFIGS), 0
    for seed in range(1500):
        draw = random.Random(seed)
        raw = copy.deepcopy(CONFIGS[draw.choice(names)]["config"])
        place = draw.choice([raw, raw.get("text_config") or raw.get("llm_config") or raw])
        for _ in range(draw.randint(1, 3)):
            place[draw.choice(sorted(place))] = draw.choice(VALUES)
        found = read(raw)
        assert found is None or found.shape.layer_count > 0
        assert found is None or found.weights.size_bytes > 0
        taken += found is not None
    assert 100 < taken < 1400


def read(raw: object) -> Preset | None:
    """The preset of a config; None: it is refused."""
    try:
        return derive.preset(raw, "org/Model")
    except derive.MalformedConfig:
        return None
