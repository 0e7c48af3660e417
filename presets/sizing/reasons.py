"""Codes of the reasons that a layout or a misfit carries, each with what it means in general.

docs/reference/reasons.md lists them; the sentence of a `Reason` has the figures of the case.
"""

from collections.abc import Mapping

CANNOT_BE_TUNED = "CannotBeTuned"
CAPABILITY_TOO_LOW = "CapabilityTooLow"
CONTEXT_TOO_LONG = "ContextTooLong"
NEEDS_GPU = "NeedsGpu"
TOO_FEW_GPUS = "TooFewGpus"
TOO_LITTLE_MEMORY = "TooLittleMemory"
UNSERVED_DEVICE = "UnservedDevice"

REASONS: Mapping[str, str] = {
    CANNOT_BE_TUNED: "the preset knows no such way of tuning",
    CAPABILITY_TOO_LOW: "no kernels for the GPU: its compute capability is too low for the server"
    " or the quantization",
    CONTEXT_TOO_LONG: "more tokens asked for than the model has",
    NEEDS_GPU: "no GPU, and the model is too large for a CPU or is to be tuned",
    TOO_FEW_GPUS: "the preset asks for more GPUs than the machine has",
    TOO_LITTLE_MEMORY: "the bill is larger than the memory; the sentence names what would do and"
    " the largest part",
    UNSERVED_DEVICE: "the model server has no build for the device",
}
"""Why a model does not fit a machine."""

CONTEXT_SHORTENED = "ContextShortened"
NO_BFLOAT16 = "NoBfloat16"
OLD_GPU = "OldGpu"
UNPACKED_WEIGHTS = "UnpackedWeights"

WARNINGS: Mapping[str, str] = {
    CONTEXT_SHORTENED: "less than the model's context is served",
    NO_BFLOAT16: "another dtype takes the place of bfloat16",
    OLD_GPU: "below compute capability 7.5: PyTorch built for CUDA 13, and vLLM, have no kernels",
    UNPACKED_WEIGHTS: "quantized weights are computed with in 16 bits",
}
"""What to know about a model on a machine that it fits."""
