"""What a GPU can compute with: from which compute capability, and in which dtype."""

from presets import preset

OLDEST_CAPABILITY = (5, 0)
"""Oldest compute capability that a PyTorch build has kernels for (CUDA 12.6 builds, to 2.7).

Source: architecture lists of PyTorch's packages.
"""

VLLM_CAPABILITY = (7, 5)
"""Oldest compute capability of vLLM since 0.21, and of PyTorch's CUDA 13 builds.

Source: vLLM 0.21 installation guide; `torch.cuda.get_arch_list()` of torch 2.13.0+cu130.
"""

KERNELS = {
    "fp8": ((7, 5), (8, 9)),
    "mxfp4": ((8, 0), (9, 0)),
    "nvfp4": ((7, 5), (10, 0)),
    "awq": ((7, 5), (7, 5)),
    "gptq": ((7, 0), (7, 0)),
    "int4": ((7, 5), (7, 5)),
    "bnb": ((7, 0), (7, 0)),
}
"""Quantization: compute capability from which it runs, and from which it computes natively.

Between the two the weights stay small and are unpacked on the way into 16-bit arithmetic.
Source: vLLM's table of quantization kernels (docs, features/quantization); mxfp4: Marlin has no
kernel for it on Turing; native fp8 and fp4: CUDA programming guide.
"""

NF4_CAPABILITY = (6, 0)
"""Oldest compute capability of bitsandbytes' 4-bit kernels. Source: its installation guide."""

FLOAT16_UNSTABLE = ("Gemma2", "Gemma3", "Glm4ForCausalLM", "Plamo2")
"""Architectures (by prefix) that overflow in float16 and are loaded in float32 instead.

Source: `_FLOAT16_NOT_SUPPORTED_MODELS` in vLLM's config/model.py.
"""


def uses_vllm(known: preset.Preset, capability: tuple[int, int]) -> bool:
    """Whether vLLM can serve it there: it divides matrices, and joins machines."""
    return "vllm" in known.serving.runtimes and capability >= VLLM_CAPABILITY


def serving_capability(known: preset.Preset) -> tuple[int, int]:
    """Oldest compute capability that it is served on."""
    least = KERNELS[known.weights.quantization][0] if _has_kernels(known) else OLDEST_CAPABILITY
    return max(least, VLLM_CAPABILITY) if known.serving.runtimes == ("vllm",) else least


def tuning_capability(known: preset.Preset, method: str) -> tuple[int, int]:
    """Oldest compute capability that it is tuned on."""
    least = KERNELS[known.weights.quantization][0] if _has_kernels(known) else OLDEST_CAPABILITY
    return max(least, NF4_CAPABILITY) if method == "qlora" else least


def dtype(known: preset.Preset, *, bfloat16: bool) -> str:
    """What it computes in on a GPU: its own dtype, or what takes the place of bfloat16."""
    if known.dtype != "bfloat16" or bfloat16:
        return known.dtype
    overflows = overflows_in_float16(known) and not known.weights.quantization
    return "float32" if overflows else "float16"


def overflows_in_float16(known: preset.Preset) -> bool:
    """Its architecture is known to leave the range of float16."""
    return known.shape.architecture.startswith(FLOAT16_UNSTABLE)


def is_unpacked(known: preset.Preset, capability: tuple[int, int]) -> bool:
    """Its quantized weights are unpacked there on the way into 16-bit arithmetic."""
    return _has_kernels(known) and capability < KERNELS[known.weights.quantization][1]


def _has_kernels(known: preset.Preset) -> bool:
    return known.weights.quantization in KERNELS
