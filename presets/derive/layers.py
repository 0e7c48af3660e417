"""How the layers of a model remember a sequence, read from its `config.json`."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from presets.derive import states
from presets.derive.config import WRONG_VALUE, Config
from presets.preset import FULL, LATENT, SLIDING, STATE, LayerGroup

# What a single layer can be.
ATTENTION = "full_attention"
WINDOW = "sliding_attention"
CHUNK = "chunked_attention"
LINEAR = "linear_attention"
MAMBA = "mamba"
RECURRENT = "recurrent"
CONVOLUTION = "conv"
NOTHING = "mlp"
SPARSE = "compressed_sparse_attention"
HEAVY = "heavily_compressed_attention"

_WORDS = {
    "attention": ATTENTION,
    "full_attention": ATTENTION,
    "deepseek_sparse_attention": ATTENTION,
    "hybrid": ATTENTION,
    "sliding_attention": WINDOW,
    "local_attention": WINDOW,
    "chunked_attention": CHUNK,
    "linear_attention": LINEAR,
    "mamba": MAMBA,
    "mamba2": MAMBA,
    "recurrent": RECURRENT,
    "conv": CONVOLUTION,
    "mlp": NOTHING,
    "moe": NOTHING,
    "compressed_sparse_attention": SPARSE,
    "heavily_compressed_attention": HEAVY,
}
"""Layer types of configs. Source: transformers 5.19 (`ALLOWED_LAYER_TYPES` and the configs of
Jamba, Nemotron-H, RecurrentGemma, LFM2, DeepSeek-V4)."""

_LETTERS = {"M": MAMBA, "*": ATTENTION, "-": NOTHING, "E": NOTHING}
"""Source: `hybrid_override_pattern` of Nemotron-H (transformers, configuration_nemotron_h.py)."""

_RATIOS = {0: WINDOW, 4: SPARSE, 128: HEAVY}
"""Source: `compress_ratios` of DeepSeek-V4 (transformers, configuration_deepseek_v4.py)."""

MOST_LAYERS = 10_000
"""Layers that are counted one by one; the deepest published models have about a hundred."""

_ALTERNATE = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "gemma4_text": 6, "cohere2": 4}
"""Of this many layers one attends to everything, where the config does not say.
Source: transformers 5.19, the configuration class of each."""


def layers(config: Config, context_tokens: int) -> tuple[LayerGroup, ...]:
    """Layers in groups, in the order in which each group first comes.

    A window as long as the context is no window. Mistakes are added to `config`.
    """
    types = layer_types(config, context_tokens)
    shared = min(config.number("num_kv_shared_layers", least=0) or 0, len(types))
    held = [*types[: len(types) - shared], *([NOTHING] * shared)]
    counts: dict[LayerGroup, int] = {}
    for index, kind in enumerate(held):
        group = _group(config, kind, index, context_tokens)
        counts[group] = counts.get(group, 0) + 1
    return tuple(dataclasses.replace(group, count=count) for group, count in counts.items())


def layer_types(config: Config, context_tokens: int) -> list[str]:
    """What each layer is, one of the words above; layers of the prediction heads left out."""
    listed = _listed(config)
    if listed is None:
        count = config.needed("num_hidden_layers", "n_layer", "num_layers", "n_layers")
        if count > MOST_LAYERS:
            message = f"is more layers than the {MOST_LAYERS} that are counted"
            config.add(config.path("num_hidden_layers"), count, WRONG_VALUE, message)
            count = 1
        return _computed(config, count, context_tokens)
    count = config.number("num_hidden_layers", "n_layer", "num_layers", "n_layers") or len(listed)
    if len(listed) < count:
        config.add(
            config.path("num_hidden_layers"),
            count,
            WRONG_VALUE,
            f"is more than the {len(listed)} layers that the config lists",
        )
    return listed[:count]


def _listed(config: Config) -> list[str] | None:
    pattern = config.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        return _known(config, "hybrid_override_pattern", list(pattern), _LETTERS)
    words = config.words("layers_block_type", "layer_types", "block_types")
    if words is not None:
        name, types = words
        known = _known(config, name, types, _WORDS)
        count = config.number("num_hidden_layers") or len(known)
        repeats = -(-count // len(known)) if name == "block_types" and known else 1
        return known * repeats
    ratios = config.numbers("compress_ratios")
    if ratios is not None:
        return _known(config, "compress_ratios", ratios, _RATIOS)
    return None


_Word = TypeVar("_Word", str, int)


def _known(
    config: Config, name: str, found: Sequence[_Word], words: Mapping[_Word, str]
) -> list[str]:
    for index, one in enumerate(found):
        if one not in words:
            config.add(
                f"{config.path(name)}[{index}]",
                one,
                WRONG_VALUE,
                "is not a known kind of layer",
                f"known: {', '.join(sorted(map(str, words)))}",
            )
    return [words.get(one, ATTENTION) for one in found]


def _computed(config: Config, count: int, context_tokens: int) -> list[str]:
    """Kinds of layers that follow from periods and windows."""
    mixed = _mixed(config)
    if mixed is not None:
        attends, other = mixed
        return [ATTENTION if attends(index) else other for index in range(count)]
    if config.get("attention_chunk_size") is not None:
        return _chunked(config, count)
    return _windowed(config, count, context_tokens)


def _mixed(config: Config) -> tuple[Callable[[int], bool], str] | None:
    """Which layers attend to everything and what the others are; None: all of them attend."""
    kimi = config.part("linear_attn_config").get("full_attn_layers")
    if isinstance(kimi, list):
        return (lambda index: index + 1 in kimi), LINEAR
    interval = config.number("full_attention_interval")
    if interval is not None:
        return (lambda index: (index + 1) % interval == 0), LINEAR
    period = config.number("attn_layer_period")
    if period is not None:
        offset = config.number("attn_layer_offset", least=0) or 0
        return (lambda index: index % period == offset), MAMBA
    indices = config.numbers("attn_layer_indices")
    if indices is not None or _is_state_space(config):
        return (lambda index: index in (indices or ())), MAMBA
    return None


def _is_state_space(config: Config) -> bool:
    """Mamba on its own: a state, no heads."""
    heads = config.get("num_attention_heads", "n_head", "num_heads")
    return config.get("model_type") in ("mamba", "mamba2", "falcon_mamba") or (
        heads is None and config.get("state_size", "ssm_state_size") is not None
    )


def _chunked(config: Config, count: int) -> list[str]:
    """Llama 4: layers with rotary positions see one chunk. Source: its class in transformers."""
    rotary = config.numbers("no_rope_layers")
    if rotary:
        return [CHUNK if has else ATTENTION for has in rotary][:count]
    interval = config.number("no_rope_layer_interval") or 4
    return [CHUNK if (i + 1) % interval else ATTENTION for i in range(count)]


def _windowed(config: Config, count: int, context_tokens: int) -> list[str]:
    window = config.number("sliding_window", "sliding_window_size")
    if window is None or window >= context_tokens or config.get("use_sliding_window") is False:
        return [ATTENTION] * count
    period = config.number("sliding_window_pattern", "_sliding_window_pattern")
    period = period or _ALTERNATE.get(str(config.get("model_type")))
    if period is not None:
        return [WINDOW if (i + 1) % period else ATTENTION for i in range(count)]
    if config.flag("use_sliding_window"):
        # Qwen2: the first max_window_layers attend to everything.
        first = config.number("max_window_layers", least=0) or 0
        return [ATTENTION if i < first else WINDOW for i in range(count)]
    return [WINDOW] * count


_STATES: Mapping[str, Callable[[Config], int]] = {
    LINEAR: states.linear_bytes,
    MAMBA: states.mamba_bytes,
    RECURRENT: states.recurrent_bytes,
    CONVOLUTION: states.convolution_bytes,
    NOTHING: lambda _: 0,
}
"""Bytes that a layer of each kind holds for one sequence."""


def _group(config: Config, kind: str, index: int, context_tokens: int) -> LayerGroup:
    """One layer as a group of its own."""
    if kind in _STATES:
        return LayerGroup(1, STATE, state_bytes=_STATES[kind](config))
    if kind in (SPARSE, HEAVY):
        return _compressed(config, kind)
    if config.get("kv_lora_rank") is not None:
        return LayerGroup(1, LATENT, latent_dim=_latent_dim(config))
    return _heads(config, kind, index, context_tokens)


def _latent_dim(config: Config) -> int:
    """kv_lora_rank + qk_rope_head_dim, and the key of the sparse index where there is one."""
    rotary = config.needed("qk_rope_head_dim", least=0)
    index = config.number("index_head_dim", least=0) or 0
    return config.needed("kv_lora_rank") + rotary + index


def _compressed(config: Config, kind: str) -> LayerGroup:
    """DeepSeek-V4: one vector for every 4 or 128 tokens, so a quarter or a 128th per token.

    The window of 128 tokens that such a layer keeps beside it is its fixed part. Checked against
    the pages of vLLM 0.30: 3,915 bytes per token of V4-Flash, with fp8 values and their scales.
    """
    ratio = 4 if kind == SPARSE else 128
    values = config.needed("head_dim")
    index = (config.number("index_head_dim", least=0) or 0) if kind == SPARSE else 0
    window = (config.number("sliding_window", least=0) or 0) * values * states.VALUE_BYTES
    return LayerGroup(1, LATENT, latent_dim=-(-(values + index) // ratio), state_bytes=window)


def _heads(config: Config, kind: str, index: int, context_tokens: int) -> LayerGroup:
    is_global = kind == ATTENTION and config.get("global_head_dim") is not None
    size = config.number("global_head_dim") if is_global else None
    heads = None
    if is_global and config.flag("attention_k_eq_v"):
        heads = config.number("num_global_key_value_heads")
    heads = heads or kv_heads(config, index)
    size = size or head_dim(config)
    if kind == WINDOW and config.get("compress_ratios") is not None:
        # DeepSeek-V4 keeps one vector that is key and value at once.
        return LayerGroup(1, SLIDING, 1, -(-size // 2), config.needed("sliding_window"))
    name = "attention_chunk_size" if kind == CHUNK else "sliding_window"
    window = 0 if kind == ATTENTION else config.needed(name, "sliding_window_size")
    if window == 0 or window >= context_tokens:
        return LayerGroup(1, FULL, heads, size)
    return LayerGroup(1, SLIDING, heads, size, window)


def attention_heads(config: Config) -> int:
    """Query heads of a layer; 0 where no layer attends."""
    if _is_state_space(config):
        return 0
    return config.needed("num_attention_heads", "n_head", "n_heads", "num_heads")


def head_dim(config: Config) -> int:
    """Values of one head; hidden size over heads where the config does not say."""
    stated = config.number("head_dim", "attention_head_dim", "kv_channels")
    if stated is not None:
        return stated
    heads = attention_heads(config)
    hidden = config.needed("hidden_size", "n_embd", "d_model")
    if hidden % heads:
        config.add(
            config.path("hidden_size"),
            hidden,
            WRONG_VALUE,
            f"is not a multiple of the {heads} attention heads, and head_dim is missing",
        )
    return max(1, hidden // heads)


def kv_heads(config: Config, index: int = 0) -> int:
    """Heads of keys and values of a layer; as many as query heads where the config does not say.

    Falcon with `multi_query` has one, whatever `num_kv_heads` says, unless
    `new_decoder_architecture` is on. Source: transformers, modeling_falcon.py.
    """
    if config.flag("multi_query") and not config.flag("new_decoder_architecture"):
        return 1
    names = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
    name = next((name for name in names if config.get(name) is not None), names[0])
    heads = attention_heads(config)
    if isinstance(config.get(name), list):
        listed = config.numbers(name) or ()
        return listed[index] if index < len(listed) else heads
    found = config.number(name)
    if found is None:
        return heads
    if heads and heads % found:
        config.add(
            config.path(name),
            found,
            WRONG_VALUE,
            f"does not divide the {heads} attention heads",
        )
    return found
