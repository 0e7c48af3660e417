"""Bytes that layers without a growing cache hold for one sequence."""

from presets.derive.config import WRONG_VALUE, Config

VALUE_BYTES = 2
"""Of the cached inputs of a convolution: the type of the model, bfloat16 or float16."""

_TYPE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}

_STATE_BYTES = 4
"""Of one value of a recurrent state where the config does not say: float32, which the configs of
Nemotron-H and Qwen3.5 name and the reference kernels compute in; an upper bound elsewhere."""


def linear_bytes(config: Config) -> int:
    """State of one layer of linear attention.

    Gated delta net: value heads x key dim x value dim, and the last inputs of a convolution over
    queries, keys and values. Kimi Linear: the same, all heads alike. Lightning attention
    (MiniMax-01): heads x head dim squared, no convolution.
    """
    if config.get("linear_num_value_heads") is None and config.get("mamba_num_heads") is not None:
        # transformers 5 writes `linear_attention` for the Mamba layers of Nemotron-H.
        return mamba_bytes(config)
    if config.get("linear_num_value_heads") is None and not _names_delta_net(config):
        heads, dim = linear_heads(config)
        kernel = _kimi_number(config, "short_conv_kernel_size") or 1
        return heads * dim * (dim * _state_bytes(config) + 3 * (kernel - 1) * VALUE_BYTES)
    keys = config.needed("linear_num_key_heads") * config.needed("linear_key_head_dim")
    values = config.needed("linear_num_value_heads") * config.needed("linear_value_head_dim")
    state = values * config.needed("linear_key_head_dim") * _state_bytes(config)
    kernel = config.needed("linear_conv_kernel_dim")
    return state + (2 * keys + values) * (kernel - 1) * VALUE_BYTES


def linear_heads(config: Config) -> tuple[int, int]:
    """Heads and head dim of linear attention that is no delta net: Kimi's own, or attention's."""
    if config.part("linear_attn_config"):
        return _kimi_number(config, "num_heads"), _kimi_number(config, "head_dim")
    return config.needed("num_attention_heads"), config.needed("head_dim")


def _names_delta_net(config: Config) -> bool:
    return config.get("full_attention_interval") is not None


def _kimi_number(config: Config, name: str) -> int:
    value = config.part("linear_attn_config").get(name)
    if value is None and not config.part("linear_attn_config"):
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    path = f"{config.path('linear_attn_config')}.{name}"
    config.add(path, value, WRONG_VALUE, "is not a whole number of at least 1")
    return 1


def mamba_bytes(config: Config) -> int:
    """State of one Mamba layer: inner width x state size, and the last inputs of its convolution.

    Mamba-2 convolves the groups of B and C as well. Source: Dao and Gu 2024, section 7; vLLM keeps
    kernel - 1 inputs (`MambaStateShapeCalculator`).
    """
    state = config.needed("ssm_state_size", "mamba_d_state", "mamba_state_dim", "state_size")
    kernel = config.needed("conv_kernel", "mamba_d_conv", "d_conv")
    inner = mamba_inner(config)
    convolved = inner
    if is_mamba2(config):
        groups = config.number("n_groups", "mamba_n_groups", "mamba_num_groups") or 1
        convolved += 2 * groups * state
    return inner * state * _state_bytes(config) + convolved * (kernel - 1) * VALUE_BYTES


def is_mamba2(config: Config) -> bool:
    """Whether the layers have heads, as Mamba-2 has."""
    return config.get("mamba_num_heads", "mamba_n_heads") is not None


def mamba_inner(config: Config) -> int:
    """Width inside a Mamba layer: heads x head dim, else expansion x hidden size."""
    if is_mamba2(config):
        heads = config.needed("mamba_num_heads", "mamba_n_heads")
        dim = config.get("mamba_head_dim", "mamba_d_head")
        if isinstance(dim, int):
            return heads * config.needed("mamba_head_dim", "mamba_d_head")
    expansion = config.number("mamba_expand", "expand") or 2
    return expansion * config.needed("hidden_size", "d_model")


def recurrent_bytes(config: Config) -> int:
    """State of one layer of RecurrentGemma: its width, and the last inputs of a convolution."""
    width = config.number("lru_width") or config.needed("hidden_size")
    kernel = config.number("conv1d_width") or 4
    return width * (_STATE_BYTES + (kernel - 1) * VALUE_BYTES)


def convolution_bytes(config: Config) -> int:
    """State of one convolution layer of LFM2: its last inputs."""
    return config.needed("hidden_size") * config.needed("conv_L_cache") * VALUE_BYTES


def _state_bytes(config: Config) -> int:
    stated = str(config.get("mamba_ssm_cache_dtype", "mamba_ssm_dtype"))
    return _TYPE_BYTES.get(stated, _STATE_BYTES)
