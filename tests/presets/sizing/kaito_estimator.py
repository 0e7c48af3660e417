"""KAITO's own estimate of GPU memory and node count, reproduced to compare with; not ours.

Source: kaito-project/kaito 056b8280, `pkg/workspace/estimator/nodesestimator/estimator.go`. It
differs from `presets.sizing`, which says why in docs/concepts/sizing.md:

- one 16 % reserve plus 2.3 GiB whatever the context, instead of a part for each cause;
- 2,048 tokens of context unless asked for more, while the server then serves what is left;
- the cache is divided by the GPUs of a node even where every GPU holds it whole (latent attention);
- every layer counts as full attention with 2 bytes per value: sliding windows, states and fp8
  caches are not seen;
- an exact fit takes one GPU more, and one GPU is not tried before all GPUs of a node.
"""

import math

GIB = 2**30

GPU_MEMORY_UTILIZATION = 0.84
"""Share of a GPU that vLLM may use."""
WEIGHT_EXPANSION = 1.02
"""Loaded weights by the size of their files."""
BASE_OVERHEAD_GIB = 2.3
"""CUDA context and NCCL 0.6, activations and graphs 1.7, on each GPU."""
OVERHEAD_BY_WEIGHT = 0.05
"""Activations and graphs that grow with the weights on a GPU."""
DEFAULT_CONTEXT_TOKENS = 2048


class DoesNotFit(ValueError):
    """What a GPU may use does not cover the reserve, whatever the number of GPUs."""


def gpu_memory_gib(
    weights_gib: float, kv_bytes_per_token: int, context_tokens: int = DEFAULT_CONTEXT_TOKENS
) -> float:
    """GiB of the one GPU on which the model fits.

    (1.05 x 1.02 x weights + 2.3 + context x kv / 2^30) / 0.84: `nodes` solved for one GPU.
    """
    weights = (1 + OVERHEAD_BY_WEIGHT) * WEIGHT_EXPANSION * weights_gib
    cache = context_tokens * kv_bytes_per_token / GIB
    return (weights + BASE_OVERHEAD_GIB + cache) / GPU_MEMORY_UTILIZATION


def gpus(
    weights_gib: float,
    kv_bytes_per_token: int,
    *,
    gpu_gib: float,
    gpus_per_node: int,
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
) -> int:
    """Least number of GPUs by KAITO's formula; an exact fit takes one more.

    Raises:
        DoesNotFit: the reserve alone is more than a GPU may use.
    """
    usable = GPU_MEMORY_UTILIZATION * gpu_gib
    cache = context_tokens * kv_bytes_per_token / gpus_per_node / GIB
    reserve = BASE_OVERHEAD_GIB + cache
    if usable <= reserve:
        raise DoesNotFit(f"{usable:.2f} GiB may be used, {reserve:.2f} GiB are reserved")
    available = (usable - reserve) / (1 + OVERHEAD_BY_WEIGHT)
    return int(WEIGHT_EXPANSION * weights_gib / available) + 1


def nodes(
    weights_gib: float,
    kv_bytes_per_token: int,
    *,
    gpu_gib: float,
    gpus_per_node: int,
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
) -> int:
    """Nodes by KAITO's formula.

    Raises:
        DoesNotFit: the reserve alone is more than a GPU may use.
    """
    least = gpus(
        weights_gib,
        kv_bytes_per_token,
        gpu_gib=gpu_gib,
        gpus_per_node=gpus_per_node,
        context_tokens=context_tokens,
    )
    return math.ceil(least / gpus_per_node)
