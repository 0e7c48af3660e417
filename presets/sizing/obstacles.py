"""What stands against a model on a machine whatever the memory, and what to know about it."""

from collections.abc import Iterator

from presets import preset
from presets.sizing import kernels, reasons
from presets.sizing.layouts import Mode, Reason, Tune
from presets.sizing.targets import Target


def against(known: preset.Preset, target: Target, mode: Mode) -> Iterator[Reason]:
    """Every reason against it but the memory."""
    if target.gpus == 0:
        if isinstance(mode, Tune) or not known.cpu:
            yield Reason(reasons.NEEDS_GPU, "it needs a GPU, and the machine has none")
    elif not target.is_cuda:
        yield Reason(
            reasons.UNSERVED_DEVICE, f"the model server has no build for {target.resource}"
        )
    elif target.capability < capability(known, mode):
        yield _too_old(known, target, mode)
    if (known.gpus or 1) > max(target.gpus, 1):
        sentence = f"its preset asks for {known.gpus} GPUs, the machine has {target.gpus}"
        yield Reason(reasons.TOO_FEW_GPUS, sentence)
    asked = mode.sequence_tokens if isinstance(mode, Tune) else mode.context_tokens
    if (asked or 0) > known.context_tokens:
        sentence = f"{asked:,} tokens are more than the model's {known.context_tokens:,}"
        yield Reason(reasons.CONTEXT_TOO_LONG, sentence)
    if isinstance(mode, Tune) and mode.method not in known.tuning.methods:
        ways = " and ".join(known.tuning.methods) or "none"
        yield Reason(
            reasons.CANNOT_BE_TUNED, f"no way to tune it with {mode.method}; known: {ways}"
        )


def warnings(known: preset.Preset, target: Target, dtype: str) -> Iterator[Reason]:
    """What to know about a model that computes in `dtype` there."""
    if target.gpus == 0:
        return
    if dtype != known.dtype:
        why = ", as it overflows in float16" if dtype == "float32" else ""
        yield Reason(
            reasons.NO_BFLOAT16,
            f"computes in {dtype}{why}: the GPU has no {known.dtype} arithmetic",
        )
    if kernels.is_unpacked(known, target.capability):
        yield Reason(
            reasons.UNPACKED_WEIGHTS,
            f"{known.weights.quantization} weights are unpacked on the way: the GPU has no"
            " arithmetic for them",
        )
    if target.capability < kernels.VLLM_CAPABILITY:
        yield Reason(
            reasons.OLD_GPU,
            f"compute capability {_dotted(target.capability)} takes a PyTorch built for CUDA 12.6:"
            " vLLM and builds for CUDA 13 begin at 7.5",
        )


def capability(known: preset.Preset, mode: Mode) -> tuple[int, int]:
    """Oldest compute capability that the mode runs on."""
    if isinstance(mode, Tune):
        return kernels.tuning_capability(known, mode.method)
    return kernels.serving_capability(known)


def _too_old(known: preset.Preset, target: Target, mode: Mode) -> Reason:
    packed = known.weights.quantization
    subject = f"its {packed} weights need" if packed else "it needs"
    needed, own = capability(known, mode), target.capability
    return Reason(
        reasons.CAPABILITY_TOO_LOW,
        f"{subject} compute capability {_dotted(needed)}, the GPU has {_dotted(own)}",
    )


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
