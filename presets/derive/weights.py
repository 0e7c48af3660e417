"""Size of the weights: from the files of a repository, or from the parameters and their storage."""

from collections.abc import Iterable, Mapping
from typing import Any

from presets.derive.config import WRONG_VALUE, Config
from presets.derive.parameters import Parameters

_METHODS = frozenset(
    {
        *("awq", "gptq", "fp8", "mxfp4", "nvfp4", "bnb", "int4", "int8", "compressed-tensors"),
        *("modelopt", "quark", "torchao", "hqq", "aqlm", "eetq", "quanto", "fbgemm_fp8"),
        *("auto-round", "vptq", "spqr", "higgs", "bitnet", "fp_quant"),
    }
)
"""Values of `quant_method`. Source: transformers 5.19 (`QuantizationMethod`), vLLM 0.32."""

_BITS_PER_BYTE = 8
_SCALE_BITS = 16
"""Of one scale in float16 or bfloat16."""
_MX_BITS = 4 + 8 / 32
"""MXFP4: 4 bits and an 8-bit scale for every 32 values. Source: OCP microscaling formats 1.0."""
_NV_BITS = 4 + 8 / 16
"""NVFP4: 4 bits and an 8-bit scale for every 16 values. Source: NVIDIA, Transformer Engine."""
_FP8_BITS = 8 + 32 / (128 * 128)
"""Block FP8: 8 bits and a float32 scale for every 128 x 128 values (DeepSeek-V3)."""
_DEFAULT_GROUP = 128

WEIGHT_SUFFIXES = (".safetensors", ".bin")


def file_bytes(files: Mapping[str, int]) -> int:
    """Bytes of the files that a model server loads, by the names and sizes in a repository.

    safetensors, else `*.bin`; in the top directory only, because others (`original/`, `metal/`)
    hold the same weights again; `consolidated*` only where there is nothing else. 0: no weights.
    """
    for suffix in WEIGHT_SUFFIXES:
        found = {n: size for n, size in files.items() if n.endswith(suffix) and "/" not in n}
        named = {n: size for n, size in found.items() if not n.startswith("consolidated")}
        if found:
            return sum((named or found).values())
    return 0


def method(config: Config) -> str:
    """How the weights are stored, in the words of `preset.Weights.quantization`."""
    stored = _settings(config)
    if not stored:
        return ""
    name = str(stored.get("quant_method", ""))
    if name not in _METHODS and name != "bitsandbytes":
        path = f"{config.path('quantization_config')}.quant_method"
        config.add(path, stored.get("quant_method"), WRONG_VALUE, "is not a known method")
    if name == "bitsandbytes":
        return "bnb"
    if name == "compressed-tensors":
        return _compressed(stored)
    if name == "modelopt":
        return str(stored.get("quant_algo", "nvfp4")).lower()
    return name


def estimate_bytes(config: Config, parameters: Parameters, dtype_bytes: int) -> int:
    """Bytes of weights of this storage; embeddings and the head stay in the model's own type."""
    stored = _settings(config)
    if not stored:
        return parameters.total * dtype_bytes
    bits, own = _bits(config, stored), dtype_bytes * _BITS_PER_BYTE
    linear = {
        "attention": parameters.attention,
        "mlp": parameters.mlp,
        "experts": parameters.experts,
        "towers": parameters.towers,
        "prediction": parameters.prediction,
    }
    kept = _kept(config, stored)
    total = (parameters.embeddings + parameters.head + parameters.routers) * float(own)
    for part, count in linear.items():
        total += count * (own if part in kept else bits)
    if config.get("expert_dtype") == "fp4":
        total += (parameters.experts + parameters.prediction) * (_MX_BITS - bits)
    return round(total / _BITS_PER_BYTE)


def _settings(config: Config) -> Mapping[str, Any]:
    found = config.part("quantization_config")
    return found or config.part("compression_config")


def _compressed(stored: Mapping[str, Any]) -> str:
    kind = str(stored.get("format", ""))
    if kind == "nvfp4-pack-quantized":
        return "nvfp4"
    if kind == "mxfp4-pack-quantized":
        return "mxfp4"
    weights = _group_weights(stored)
    if weights.get("type") == "float":
        return f"fp{weights.get('num_bits', 8)}"
    return f"int{weights.get('num_bits', 4)}"


def _group_weights(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    groups = stored.get("config_groups")
    first: object = next(iter(groups.values()), {}) if isinstance(groups, Mapping) else {}
    weights = first.get("weights") if isinstance(first, Mapping) else None
    return weights if isinstance(weights, Mapping) else {}


def _bits(config: Config, stored: Mapping[str, Any]) -> float:
    """Bits of one quantized parameter with its share of scales and zero points."""
    name = method(config)
    fixed = {"fp8": _FP8_BITS, "mxfp4": _MX_BITS, "nvfp4": _NV_BITS, "fbgemm_fp8": _FP8_BITS}
    if name in fixed:
        return fixed[name]
    if name == "bnb":
        return 4.5 if stored.get("load_in_4bit") else 8.0
    weights = _group_weights(stored)
    bits = stored.get("bits") or weights.get("num_bits") or (8 if name.endswith("8") else 4)
    group = stored.get("group_size") or weights.get("group_size") or _DEFAULT_GROUP
    if not isinstance(bits, int | float) or not isinstance(group, int):
        path = f"{config.path('quantization_config')}.bits"
        config.add(path, bits, WRONG_VALUE, "is not a number of bits")
        return 4.0
    zeros = bits if stored.get("zero_point") or name == "gptq" else 0
    return float(bits) + ((_SCALE_BITS + zeros) / group if group > 0 else 0)


def _kept(config: Config, stored: Mapping[str, Any]) -> set[str]:
    """Parts that stay in the model's own type, by the lists of what is not converted."""
    names = [
        *_words(stored.get("modules_to_not_convert")),
        *_words(stored.get("ignore")),
        *_words(stored.get("ignored_layers")),
        *_words(stored.get("exclude_modules")),
        *_dynamic(stored.get("dynamic")),
    ]
    kept = {"towers"}
    if any("mtp" in name for name in names):
        kept.add("prediction")
    language = [n for n in names if "vis" not in n and ".mtp" not in n and not n.startswith("mtp")]
    if any("attn" in name or "attention" in name for name in language):
        kept.add("attention")
    if any("shared_expert" in name or "gate_up" in name for name in language):
        kept.add("mlp")
    if method(config) == "mxfp4" and config.get("num_local_experts") is not None:
        kept |= {"attention", "mlp"}  # gpt-oss stores only its experts so
    return kept


def _words(found: object) -> Iterable[str]:
    return [str(one) for one in found] if isinstance(found, list) else []


def _dynamic(found: object) -> Iterable[str]:
    """GPTQModel's rules: a name that begins with `-:` is left as it is."""
    return [str(n) for n in found if str(n).startswith("-:")] if isinstance(found, Mapping) else []
