"""How many parameters a model has, counted from the shapes in its `config.json`.

Norms, biases and routers' biases are left out: together far below 0.1 %. A vision tower is counted
from its own shape, as a plain transformer. Source of the shapes: the modeling files of
transformers 5.19; tests/presets/derive/test_model.py compares with published sizes of weight files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from presets.derive import layers, states
from presets.derive.config import Config
from presets.derive.layers import (
    ATTENTION,
    CONVOLUTION,
    HEAVY,
    LINEAR,
    MAMBA,
    NOTHING,
    RECURRENT,
    SPARSE,
    WINDOW,
)

_TWO_MATRICES = frozenset(
    {
        *("phi", "falcon", "gpt2", "gpt_neox", "gptj", "gpt_bigcode", "opt", "bloom", "mpt"),
        *("starcoder2", "nemotron", "nemotron_h"),
    }
)
"""Model types whose MLP has no gate: up and down, not gate, up and down.
Source: transformers 5.19, the modeling file of each."""

_EXPERTS = ("num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts")


@dataclass(frozen=True)
class Parameters:
    """Parameters by what quantization tells apart."""

    attention: int = 0
    """Projections of attention and of what stands in for it."""
    mlp: int = 0
    """MLPs that every token passes, shared experts among them."""
    experts: int = 0
    """Experts that the router chooses among."""
    routers: int = 0
    embeddings: int = 0
    head: int = 0
    """0 where the head is the table of embeddings."""
    towers: int = 0
    """What sees and hears."""
    prediction: int = 0
    """Heads that predict further tokens (MTP)."""

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))

    def plus(self, other: "Parameters", times: int = 1) -> "Parameters":
        """The sum, with the other taken so many times."""
        names = (field.name for field in fields(self))
        return Parameters(*(getattr(self, n) + times * getattr(other, n) for n in names))


def count(config: Config, context_tokens: int) -> Parameters:
    """All parameters of the weight files, prediction heads (MTP) included."""
    hidden = config.needed("hidden_size", "n_embd", "d_model")
    types = layers.layer_types(config, context_tokens)
    shared = len(types) - (config.number("num_kv_shared_layers", least=0) or 0)
    found = Parameters()
    for index, kind in enumerate(types):
        found = found.plus(_mixer(config, hidden, kind, index, has_keys=index < shared))
        found = found.plus(_feed_forward(config, hidden, index))
    found = found.plus(_prediction_heads(config, hidden, len(types)))
    return found.plus(_tables(config, hidden, len(types)))


def intermediate_size(config: Config) -> int | None:
    """Inner width of the MLP that one token passes: of a mixture, of all its chosen experts."""
    dense = config.number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    if not _expert_count(config):
        return dense or _default_width(config)
    chosen = config.number("num_experts_per_tok", "top_k_experts", "num_experts_per_token") or 1
    width = config.number("moe_intermediate_size", "intermediate_size") or 1
    beside = dense or 0 if config.flag("enable_moe_block") else 0
    return chosen * width + _shared_width(config, width) + beside


def _default_width(config: Config) -> int | None:
    """Four times the hidden size: Falcon, GPT-2 and their like name none."""
    hidden = config.number("hidden_size", "n_embd", "d_model")
    return 4 * hidden if hidden and str(config.get("model_type")) in _TWO_MATRICES else None


def _expert_count(config: Config) -> int:
    return config.number(*_EXPERTS, least=0) or 0


def _shared_width(config: Config, width: int) -> int:
    names = ("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size")
    stated = config.number(*names, "shared_intermediate_size", least=0)
    if stated is not None:
        return stated
    return (config.number("n_shared_experts", least=0) or 0) * width


def _tables(config: Config, hidden: int, layer_count: int) -> Parameters:
    table = config.needed("vocab_size") * hidden
    per_layer = config.number("hidden_size_per_layer_input", least=0) or 0
    inputs = (config.number("vocab_size_per_layer_input", least=0) or 0) * layer_count * per_layer
    # Gemma 3n and 4: one projection for all layers, and a gate and a projection in each.
    mixing = 3 * hidden * layer_count * per_layer
    return Parameters(
        embeddings=table + inputs + mixing,
        head=0 if is_tied(config) else table,
        towers=_vision(config) + _audio(config),
    )


def is_tied(config: Config) -> bool:
    """Whether the output head is the table of embeddings.

    Absent: transformers' default is tied, for the families that say so in their class only.
    """
    stated = config.get("tie_word_embeddings")
    if stated is not None:
        return config.flag("tie_word_embeddings")
    return str(config.get("model_type")).startswith(("gemma", "cohere", "gpt2", "bloom", "falcon"))


def _vision(config: Config) -> int:
    tower = Config(config.whole.get("vision_config") or {})
    hidden = tower.number("hidden_size", "embed_dim", "width")
    depth = tower.number("num_hidden_layers", "depth", "layers", "num_layers")
    if not (isinstance(hidden, int) and isinstance(depth, int)):
        return 0
    inner = tower.number("intermediate_size") or 4 * hidden
    matrices = 3 if config.whole.get("model_type") in ("mistral3", "pixtral") else 2
    return depth * (4 * hidden * hidden + matrices * hidden * inner)


def _audio(config: Config) -> int:
    """A conformer: two MLPs of four times the width, attention and a gated convolution."""
    tower = Config(config.whole.get("audio_config") or {})
    hidden, depth = tower.number("hidden_size"), tower.number("num_hidden_layers")
    return 23 * hidden * hidden * depth if hidden and depth else 0


def _prediction_heads(config: Config, hidden: int, layer_count: int) -> Parameters:
    """Multi-token prediction: a whole layer each, and a projection of two hidden states to one."""
    names = ("num_nextn_predict_layers", "mtp_num_hidden_layers")
    heads = config.number(*names, least=0) or 0
    # DeepSeek-V4 with DSpark lists the layers of its heads behind its own and counts them as one.
    ratios = config.numbers("compress_ratios")
    heads = max(heads, len(ratios) - layer_count) if ratios else heads
    if not heads:
        return Parameters()
    kind, last = WINDOW if ratios else ATTENTION, layer_count - 1
    layer = _mixer(config, hidden, kind, last, has_keys=True)
    layer = layer.plus(_mlp(config, hidden, last, is_mixture=True))
    return Parameters(prediction=heads * (layer.total + 2 * hidden * hidden))


def _mixer(config: Config, hidden: int, kind: str, index: int, *, has_keys: bool) -> Parameters:
    """What mixes tokens: attention, or what stands in for it."""
    if kind == NOTHING:
        return Parameters()
    if kind in _STANDS_IN:
        return Parameters(attention=_STANDS_IN[kind](config, hidden))
    if config.get("compress_ratios") is not None and config.get("o_lora_rank") is not None:
        return Parameters(attention=_compressed(config, hidden, kind))
    if config.get("kv_lora_rank") is not None:
        return Parameters(attention=_latent(config, hidden))
    return Parameters(attention=_attention(config, hidden, kind, index if has_keys else None))


def _attention(config: Config, hidden: int, kind: str, index: int | None) -> int:
    """Projections of a layer; `index` is None where it reads the keys of another."""
    is_global = kind == ATTENTION and config.get("global_head_dim") is not None
    size = config.needed("global_head_dim") if is_global else layers.head_dim(config)
    heads = layers.attention_heads(config)
    keys = 0 if index is None else layers.kv_heads(config, index)
    copies = 2
    if is_global and config.flag("attention_k_eq_v"):
        keys = (config.number("num_global_key_value_heads") or keys) if keys else 0
        copies = 1  # the values are the keys: one projection
    queries = 2 if _gates_output(config) else 1
    projected = (queries + 1) * heads + copies * keys
    return hidden * size * projected


def _gates_output(config: Config) -> bool:
    """Qwen3-Next and Qwen3.5: the query projection makes a gate as well."""
    model = str(config.get("model_type"))
    return config.flag("attn_output_gate") or model.startswith(("qwen3_next", "qwen3_5"))


def _latent(config: Config, hidden: int) -> int:
    """Multi-head latent attention, with the index of DeepSeek-V3.2 where there is one."""
    heads = layers.attention_heads(config)
    rotary = config.needed("qk_rope_head_dim", least=0)
    plain, values = config.needed("qk_nope_head_dim"), config.needed("v_head_dim")
    rank, query_rank = config.needed("kv_lora_rank"), config.number("q_lora_rank")
    query = heads * (plain + rotary)
    queries = query_rank * (hidden + query) if query_rank else hidden * query
    keys = hidden * (rank + rotary) + rank * heads * (plain + values)
    return queries + keys + heads * values * hidden + _index(config, hidden)


def _index(config: Config, hidden: int) -> int:
    size = config.number("index_head_dim")
    if size is None:
        return 0
    heads = config.needed("index_n_heads")
    return config.needed("q_lora_rank") * heads * size + hidden * (size + heads)


def _compressed(config: Config, hidden: int, kind: str) -> int:
    """Attention of DeepSeek-V4 with its compressors. Source: shapes of its safetensors headers."""
    heads, size = layers.attention_heads(config), config.needed("head_dim")
    query_rank, rank = config.needed("q_lora_rank"), config.needed("o_lora_rank")
    query = query_rank * (hidden + heads * size)
    output = heads * size * rank + config.needed("o_groups") * rank * hidden
    overlap = {SPARSE: 2, HEAVY: 1}.get(kind, 0)
    compressor = 2 * hidden * overlap * size
    index = 0
    if kind == SPARSE:
        index_size, index_heads = config.needed("index_head_dim"), config.needed("index_n_heads")
        index = index_heads * (query_rank * index_size + hidden) + 4 * hidden * index_size
    return query + hidden * size + output + compressor + index


def _linear(config: Config, hidden: int) -> int:
    """A gated delta net, Nemotron-H's Mamba by its newer name, or plain linear attention."""
    if config.get("linear_num_value_heads") is not None:
        return _delta_net(config, hidden)
    if config.get("mamba_num_heads") is not None:
        return _mamba(config, hidden)
    heads, size = states.linear_heads(config)
    return 5 * hidden * heads * size  # queries, keys, values, gate, output


def _delta_net(config: Config, hidden: int) -> int:
    keys = config.needed("linear_num_key_heads") * config.needed("linear_key_head_dim")
    heads = config.needed("linear_num_value_heads")
    values = heads * config.needed("linear_value_head_dim")
    kernel = config.needed("linear_conv_kernel_dim")
    return hidden * (2 * keys + 3 * values + 2 * heads) + kernel * (2 * keys + values)


def _recurrent(config: Config, hidden: int) -> int:
    """RecurrentGemma: in, gate and out; its own gates are block-diagonal and small."""
    return 3 * hidden * (config.number("lru_width") or hidden)


def _convolution(config: Config, hidden: int) -> int:
    """LFM2: one projection to three, one back, and the kernel."""
    return hidden * (4 * hidden + config.needed("conv_L_cache"))


def _mamba(config: Config, hidden: int) -> int:
    inner = states.mamba_inner(config)
    state = config.needed("ssm_state_size", "mamba_d_state", "mamba_state_dim", "state_size")
    if states.is_mamba2(config):
        heads = config.needed("mamba_num_heads", "mamba_n_heads")
        groups = config.number("n_groups", "mamba_n_groups", "mamba_num_groups") or 1
        return hidden * (3 * inner + 2 * groups * state + heads)
    rank = config.number("mamba_dt_rank", "time_step_rank") or -(-hidden // 16)
    return 3 * hidden * inner + inner * (2 * rank + 3 * state)


_STANDS_IN: Mapping[str, Callable[[Config, int], int]] = {
    MAMBA: _mamba,
    LINEAR: _linear,
    RECURRENT: _recurrent,
    CONVOLUTION: _convolution,
}
"""Parameters of what stands in for attention."""


def _feed_forward(config: Config, hidden: int, index: int) -> Parameters:
    """The MLP or the experts of a layer; Nemotron-H has them in layers of their own."""
    letters = _block_letters(config)
    if letters is None:
        return _mlp(config, hidden, index, is_mixture=_is_mixture(config, index))
    letter = letters[index] if index < len(letters) else "M"
    if letter in _MIXERS:
        return Parameters()
    return _mlp(config, hidden, index, is_mixture=letter == "E")


def _mlp(config: Config, hidden: int, index: int, *, is_mixture: bool) -> Parameters:
    dense = config.number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    dense = dense or _default_width(config) or 0
    if not (is_mixture and _expert_count(config)):
        width = _own_width(config, dense, index)
        return Parameters(mlp=_matrices(config) * hidden * width)
    beside = dense if config.flag("enable_moe_block") else 0
    return _experts(config, hidden).plus(Parameters(mlp=_matrices(config) * hidden * beside))


def _own_width(config: Config, dense: int, index: int) -> int:
    """Width of a dense MLP: Gemma 4 doubles it in layers that share keys, Llama 4 names its own."""
    if config.flag("use_double_wide_mlp"):
        count = config.needed("num_hidden_layers")
        first = count - (config.number("num_kv_shared_layers", least=0) or 0)
        return 2 * dense if index >= first else dense
    return config.number("intermediate_size_mlp") or dense


_MIXERS = "M*"
"""Blocks that mix tokens and have no MLP."""


def _block_letters(config: Config) -> str | None:
    """One letter per layer where MLPs are layers of their own: `M` and `*` mix, `-` and `E` not."""
    pattern = config.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        return pattern
    blocks = config.get("layers_block_type", "layer_types")
    if isinstance(blocks, list) and {"moe", "mlp"} & set(map(str, blocks)):
        return "".join({"moe": "E", "mlp": "-"}.get(str(block), "M") for block in blocks)
    return None


def _matrices(config: Config) -> int:
    return 2 if str(config.get("model_type")) in _TWO_MATRICES else 3


def _is_mixture(config: Config, index: int) -> bool:
    """Whether a layer has experts, by the switches of DeepSeek, Qwen, Jamba and Llama 4."""
    if index < (config.number("first_k_dense_replace", least=0) or 0):
        return False
    if index in (config.numbers("mlp_only_layers") or ()):
        return False
    period = config.number("expert_layer_period")
    if period is not None:
        return index % period == (config.number("expert_layer_offset", least=0) or 0)
    step = config.number("decoder_sparse_step", "interleave_moe_layer_step") or 1
    return (index + 1) % step == 0


def _experts(config: Config, hidden: int) -> Parameters:
    experts = _expert_count(config)
    width = config.needed("moe_intermediate_size", "intermediate_size", "expert_ffn_hidden_size")
    outside, latent = _matrices(config) * hidden, config.number("moe_latent_size")
    inside = _matrices(config) * (latent or hidden)
    # Latent experts (Nemotron 3 Super) work in a narrower space, with one way in and one out.
    ways = 2 * hidden * latent if latent else 0
    return Parameters(
        mlp=outside * _shared_width(config, width) + ways,
        experts=inside * experts * width,
        routers=experts * hidden,
    )
