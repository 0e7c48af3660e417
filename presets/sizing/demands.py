"""How a replica is divided among GPUs, and what each of them then holds.

Named tuples: a choice makes hundreds of them, and they cost a third of frozen dataclasses.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from presets import gpus, preset
from presets.sizing import kernels, layouts, memory, targets

LEAST_CONTEXT_TOKENS = 2048
"""Below it a model is not served unless asked to: a short conversation needs that much."""

ADAPTER_RANK = 16
"""Rank of the LoRA adapters that room is kept for: vLLM's default `max_lora_rank`."""


class Split(NamedTuple):
    """Among how many GPUs a replica is divided, and how."""

    nodes: int
    tensor: int
    """GPUs that share every matrix."""
    pipeline: int
    """Stages that share the layers, on all machines."""

    @property
    def gpus(self) -> int:
        """GPUs of a replica on all its machines."""
        return self.tensor * self.pipeline


_WHOLE = (Split(1, 1, 1),)

Parts = tuple[int, int, int, int, int]
"""Bytes on one GPU: weights, KV cache, activations, adapters, optimizer."""


class Demand(NamedTuple):
    """What a model asks of every GPU that computes in the same dtypes."""

    dtype: str
    held: Callable[[Split, int], Parts]
    """What a GPU holds under a split, for a number of tokens."""
    least: int
    """Fewest tokens that make sense: context to serve, or length of one example."""
    wanted: int
    """Tokens asked for; `least` where nothing less will do."""
    sequences: int = 0
    """Sequences served at once; 0: it is tuned, and never spread over machines."""

    @property
    def serves(self) -> bool:
        """It answers requests."""
        return self.sequences > 0

    def total(self, split: Split, tokens: int) -> int:
        """Bytes of all parts."""
        return sum(self.held(split, tokens))


def dtypes(known: preset.Preset, target: targets.Target) -> tuple[str, str]:
    """What `target` computes `known` in, and what it keeps the cache in."""
    dtype = kernels.dtype(known, bfloat16=target.bfloat16)
    if target.gpus == 0 and dtype == "float16":
        dtype = "bfloat16"  # as the model server does: CPUs have no usable float16 arithmetic
    # Older GPUs read an fp8 cache back in 16 bits, if they can at all: not counted on.
    fp8 = known.serving.kv_dtype == "fp8" and target.capability >= gpus.FP8_CAPABILITY
    return dtype, "fp8" if fp8 else dtype


def of(known: preset.Preset, mode: layouts.Mode, dtype: str, cached: str) -> Demand:
    """What `known` asks of each GPU that computes in `dtype` and keeps the cache in `cached`."""
    if isinstance(mode, layouts.Tune):
        return _tuning(known, mode, dtype)
    return _serving(known, mode, dtype, cached)


def splits(known: preset.Preset, mode: layouts.Mode, target: targets.Target) -> Sequence[Split]:
    """Ways to divide it on one machine, fewest GPUs first.

    vLLM divides matrices as far as the heads allow, then layers; all else divides layers only.
    """
    counts = _divisors(max(target.gpus, 1)) if known.gpus is None else (known.gpus,)
    if counts == (1,):
        return _WHOLE
    shares = isinstance(mode, layouts.Serve) and kernels.uses_vllm(known, target.capability)
    degrees = [tensor_degree(known.shape, count) if shares else 1 for count in counts]
    return [
        Split(1, tensor, count // tensor) for count, tensor in zip(counts, degrees, strict=True)
    ]


def tensor_degree(shape: preset.Shape, count: int) -> int:
    """Most of `count` GPUs that can share the matrices: a divisor of `count`.

    It divides the query heads, and divides every number of key heads or is divided by it: of 2 key
    heads each of 8 GPUs holds 1. Latent attention has no key heads to divide.
    """
    key_heads = {group.kv_heads for group in shape.layers if group.kv_heads}
    for degree in range(count, 1, -1):
        divides = (
            shape.attention_heads and not count % degree and not shape.attention_heads % degree
        )
        if divides and all(not heads % degree or not degree % heads for heads in key_heads):
            return degree
    return 1


@cache
def _divisors(count: int) -> tuple[int, ...]:
    """Numbers of GPUs to try of a machine: divisors of all, so that none stays idle."""
    return tuple(some for some in range(1, count + 1) if not count % some)


def _serving(known: preset.Preset, mode: layouts.Serve, dtype: str, cached: str) -> Demand:
    shape, sequences = known.shape, mode.sequences
    width, cached_width = memory.DTYPE_BYTES[dtype], memory.DTYPE_BYTES[cached]
    one = memory.adapter_parameters(shape, ADAPTER_RANK) if mode.adapters else 0
    adapters = mode.adapters * width * one
    whole, inner = memory.weight_bytes(known, dtype), memory.inner_width(shape)

    @cache
    def held(split: Split, tokens: int) -> Parts:
        tensor, pipeline = split.tensor, split.pipeline
        return (
            memory.stage_weight_bytes(known, whole, dtype, tensor, pipeline),
            sequences * memory.kv_bytes(shape, tokens, cached_width, tensor, pipeline),
            memory.serving_bytes(shape, inner, tokens, sequences, width, tensor),
            memory.stage_bytes(shape, adapters, pipeline) if adapters else 0,
            0,
        )

    own = known.context_tokens
    least = mode.context_tokens or min(own, LEAST_CONTEXT_TOKENS)
    wanted = mode.context_tokens or own
    return Demand(dtype, held, least, wanted, sequences)


def _tuning(known: preset.Preset, mode: layouts.Tune, dtype: str) -> Demand:
    shape = known.shape
    width = memory.DTYPE_BYTES[dtype]
    trained = memory.adapter_parameters(shape, mode.rank)
    packs = mode.method == "qlora" and not known.weights.quantization
    whole = (memory.quantized_bytes if packs else memory.weight_bytes)(known, dtype)
    unpacked = memory.unpacked_bytes(shape, dtype) if packs else 0
    checkpointing = mode.gradient_checkpointing

    @cache
    def held(split: Split, tokens: int) -> Parts:
        stages, batch = split.pipeline, mode.batch * tokens
        step = memory.tuning_bytes(shape, batch, width, stages, checkpointing=checkpointing)
        own = memory.stage_bytes(shape, trained, stages)
        return (
            memory.stage_weight_bytes(known, whole, dtype, 1, stages),
            0,
            step + unpacked,
            memory.ADAPTER_BYTES * own,
            memory.OPTIMIZER_BYTES * own,
        )

    tokens = mode.sequence_tokens or min(known.context_tokens, LEAST_CONTEXT_TOKENS)
    return Demand(dtype, held, tokens, tokens)
