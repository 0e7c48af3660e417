"""Bytes that a model takes on one GPU, part by part: the formulas of the memory bill.

Every formula is an upper estimate for the two servers that a preset can run on, `transformers` and
vLLM. Whole bytes, rounded up. What a formula was checked against stands in docs/concepts/sizing.md.
"""

from dataclasses import dataclass

from presets import preset

GIB = 2**30

DTYPE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "fp8": 1}
"""Bytes of one value."""

CONTEXT_BYTES = GIB * 5 // 4
"""CUDA context, kernels and workspaces of one process, CUDA graphs of small batches.

1.25 GiB. KAITO counts 2.3 GiB for these, NCCL and activations together, 1.7 of it activations and
graphs (`nodesestimator/estimator.go`); activations have their own line here. An estimate: lower
figures are common, and no measurement on our own GPUs stands behind it.
"""

NCCL_BYTES = GIB * 3 // 5
"""Buffers of NCCL on each GPU when several work together, 0.6 GiB. Source: KAITO's estimator."""

SPARE_PERCENT = 8
"""Share of the memory that stays free of weights, cache and activations.

vLLM leaves it to others by default: `gpu_memory_utilization` is 0.92 (vllm/config/cache.py).
PyTorch's allocator loses about as much to fragments (general knowledge).
"""

PROCESS_BYTES = GIB * 3 // 2
"""On a machine without GPU: Python with PyTorch, the kubelet and the system. General knowledge."""

VLLM_CHUNK_TOKENS = 8192
"""Most tokens of prompts that vLLM computes at once by default.

Source: `max_num_batched_tokens` of the API server in vLLM's engine/arg_utils.py, on GPUs of 70 GiB
and more that are no A100; 2,048 on others.
"""

CHUNK_TOKENS = 2048
"""Tokens of a prompt that the transformers server computes at once (`prefill_chunk_size`)."""

MASK_BYTES = 3
"""Per token of a chunk and token before it: the mask as truth value (1) and as bias (2).

transformers builds it for every chunk but the first; vLLM needs none.
"""

LOGIT_ROWS = 256
"""Sequences whose next token is drawn at once.

Source: vLLM's engine/arg_utils.py, default `max_num_seqs` of the API server; on GPUs of 70 GiB and
more it is 1,024, whose logits find room in the spare share of such a GPU.
"""

SAMPLE_BYTES = 8
"""Per logit of such a row: the logits and the probabilities in float32."""

SERVE_HIDDEN, SERVE_INNER = 5, 4
"""Values per token that live at once in a forward pass: 5 x hidden size + 4 x inner width.

Counted with PyTorch's allocator (docs/concepts/sizing.md): Phi-3 4.3 and 4, Llama 4.3 and 3.
"""

SAVED_HIDDEN, SAVED_INNER = 21, 6
"""Values per token and layer that a tuning step keeps for the backward pass, in the model's dtype.

LoRA on every linear layer, its inputs kept once more in float32. Counted: Phi-3 13.4 and 6, Llama
20.3 and 5.
"""

LAYER_HIDDEN, LAYER_INNER = 22, 14
"""Values per token that the backward pass of one layer needs on top.

Counted: Phi-3 17 and 14, Llama 22 and 9.
"""

LOSS_BYTES = 14
"""Bytes per token and word of the vocabulary in a tuning step.

Logits (2), in float32 (4), their log-softmax (4), its gradient (4). Counted: 12.3 to 13.8.
"""

NF4_BITS = 4.5
"""Bits of a weight in NF4: 4, and 32 for the scale of every 64 weights.

Source: Dettmers et al. 2023 (QLoRA), section 3; double quantization takes 0.37 bits less.
"""

ADAPTER_BYTES = 12
"""Bytes per trained value: weight, gradient and the all-reduce's copy of it, in float32."""

OPTIMIZER_BYTES = 8
"""Bytes per trained value of AdamW: two moments in float32. Source: Loshchilov and Hutter 2019."""

UNKNOWN_INNER = 4
"""Inner width in hidden sizes where it is unknown or the layer has none of its own.

Also the floor where layers keep a state: their inner projections are that wide.
"""


@dataclass(frozen=True, slots=True)
class MemoryBill:
    """What one GPU holds, in bytes; on a machine without GPU, what its memory holds."""

    weights: int
    kv_cache: int
    """Keys, values and states of all sequences at the full length served."""
    activations: int
    adapters: int
    """LoRA weights; in tuning with their gradients."""
    optimizer: int
    overhead: int
    """CUDA context, NCCL, fragments, what stays spare."""
    capacity: int
    """Memory that there is."""

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """Name and bytes of every part, in the order of a bill."""
        return (
            ("weights", self.weights),
            ("KV cache", self.kv_cache),
            ("activations", self.activations),
            ("adapters", self.adapters),
            ("optimizer", self.optimizer),
            ("overhead", self.overhead),
        )

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return (
            self.weights
            + self.kv_cache
            + self.activations
            + self.adapters
            + self.optimizer
            + self.overhead
        )

    @property
    def free(self) -> int:
        """Bytes left; negative: bytes missing."""
        return self.capacity - self.total

    @property
    def biggest(self) -> str:
        """Name of the part with the most bytes."""
        return max(self.parts, key=lambda part: part[1])[0]


def up(value: int, by: int) -> int:
    """`value / by`, rounded up."""
    return -(-value // by)


def weight_bytes(known: preset.Preset, dtype: str) -> int:
    """Bytes of the loaded weights.

    Size of the weight files; where they are not quantized and `dtype` is wider or narrower than
    the stored type, in proportion. The files hold nothing but tensors and a header of kilobytes.
    """
    weights = known.weights
    if weights.quantization:
        return weights.size_bytes
    average = weights.dtype_bytes
    stored = DTYPE_BYTES[known.dtype] if average is None else 4 if average > 3 else 2  # noqa: PLR2004 - halfway between float16 and float32
    return weights.size_bytes * DTYPE_BYTES[dtype] // stored


def stage_weight_bytes(
    known: preset.Preset, whole: int, dtype: str, tensor: int, pipeline: int
) -> int:
    """Bytes that the fullest of `tensor` x `pipeline` GPUs holds of `whole` bytes of weights.

    Tensor parallelism divides every matrix. A pipeline divides the layers, and its first or last
    stage holds a table of the vocabulary besides: (layers' bytes x share of the stage + table).
    """
    if pipeline > 1:
        table = table_parameters(known.shape) * DTYPE_BYTES[dtype]
        layers = max(0, whole - table * (1 if known.shape.tied_head else 2))
        whole = min(whole, stage_bytes(known.shape, layers, pipeline) + table)
    return up(whole, tensor)


def stage_bytes(shape: preset.Shape, whole: int, pipeline: int) -> int:
    """Share of the longest stage in `whole`, which all layers hold alike."""
    if pipeline == 1:
        return whole
    layers = shape.layer_count or 1
    return up(whole * up(layers, pipeline), layers)


def table_parameters(shape: preset.Shape) -> int:
    """Values of the table of token embeddings, vocabulary x hidden size; 0 where unknown."""
    return (shape.vocabulary_size or 0) * shape.hidden_size


def kv_bytes(
    shape: preset.Shape, tokens: int, value_bytes: int, tensor: int = 1, pipeline: int = 1
) -> int:
    """Bytes that one GPU remembers of one sequence of `tokens`.

    Per layer: full attention 2 (key, value) x kv_heads x head_dim x tokens; sliding the same with
    at most the window's tokens; latent one vector of latent_dim per token, which every GPU of a
    tensor-parallel group holds whole; a state has its own size whatever the length. Heads are
    divided among `tensor` GPUs, each holding at least one; layers among `pipeline` stages.

    Source: Kwon et al. 2023, section 3; DeepSeek-V2, section 2.1, for latent attention.
    """
    whole = 0
    for group in shape.layers:
        kind = group.kind
        if kind == preset.STATE:
            whole += group.count * up(group.state_bytes, tensor)
        elif kind == preset.LATENT:
            whole += group.count * group.latent_dim * tokens * value_bytes
        else:
            seen = min(tokens, group.window_tokens) if kind == preset.SLIDING else tokens
            heads = -(-group.kv_heads // tensor)
            whole += 2 * group.count * heads * group.head_dim * seen * value_bytes
    return stage_bytes(shape, whole, pipeline)


def inner_width(shape: preset.Shape) -> int:
    """Width of the MLP that one token passes; layers with a state count as `UNKNOWN_INNER`."""
    least = UNKNOWN_INNER * shape.hidden_size
    width = shape.intermediate_size
    if width is None:
        return least
    return max(width, least) if any(g.kind == preset.STATE for g in shape.layers) else width


def serving_bytes(
    shape: preset.Shape, inner: int, tokens: int, sequences: int, value_bytes: int, tensor: int
) -> int:
    """Bytes of activations while prompts of up to `tokens` are computed, whichever server does it.

    The larger of vLLM's chunk of at most 8,192 tokens of all prompts, and transformers' chunk of
    at most 2,048 of one prompt with its mask. A token takes (5 x hidden + 4 x `inner` / tensor)
    values; `inner` is `inner_width`. Besides, 256 rows of logits as they are sampled.
    """
    divided = up(SERVE_INNER * inner, tensor)
    token = (SERVE_HIDDEN * shape.hidden_size + divided) * value_bytes
    sampled = LOGIT_ROWS * (shape.vocabulary_size or 0) * SAMPLE_BYTES
    batched = min(tokens * sequences, VLLM_CHUNK_TOKENS) * token
    if tokens <= CHUNK_TOKENS:
        return batched + sampled  # one chunk of one prompt, and no mask
    masked = CHUNK_TOKENS * (token + tokens * MASK_BYTES)
    return max(batched, masked) + sampled


def adapter_parameters(shape: preset.Shape, rank: int) -> int:
    """Values of LoRA matrices on every linear layer: rank x (inputs + outputs) of each.

    Query and output of attention_heads x head_dim, key and value of kv_heads x head_dim, three
    matrices of the MLP. Where head sizes are unknown they count as the hidden size. Experts that a
    token does not pass, and their adapters, are not counted. Source: Hu et al. 2021, section 4.1.
    """
    hidden = shape.hidden_size
    total = 0
    for group in shape.layers:
        query = shape.attention_heads * group.head_dim or hidden
        key = group.kv_heads * group.head_dim or hidden
        attention = 2 * (hidden + query) + 2 * (hidden + key)
        total += group.count * (attention + 3 * (hidden + inner_width(shape)))
    return rank * total


def quantized_bytes(known: preset.Preset, dtype: str) -> int:
    """Bytes of the weights with every linear layer in NF4, as QLoRA loads them.

    Tables of the vocabulary and the output head stay in `dtype`. Weights that are published
    quantized stay as they are.
    """
    whole = weight_bytes(known, dtype)
    if known.weights.quantization:
        return whole
    tables = table_parameters(known.shape) * (1 if known.shape.tied_head else 2)
    kept = min(whole, tables * DTYPE_BYTES[dtype])
    linear = (whole - kept) // DTYPE_BYTES[dtype]
    return kept + up(int(linear * NF4_BITS * 2), 16)


def unpacked_bytes(shape: preset.Shape, dtype: str) -> int:
    """Bytes of the largest matrix that QLoRA unpacks while it computes: gate and up as one."""
    return 2 * shape.hidden_size * inner_width(shape) * DTYPE_BYTES[dtype]


def tuning_bytes(
    shape: preset.Shape, tokens: int, value_bytes: int, pipeline: int, *, checkpointing: bool
) -> int:
    """Bytes of activations of one tuning step over `tokens` (batch x sequence).

    Kept for the backward pass: with checkpointing the input of every layer, else 21 x hidden +
    6 x inner values per layer. Plus the backward pass of one layer, and the loss: 14 bytes for
    every token and word of the vocabulary. Source of the form: Korthikanti et al. 2022, section 4,
    recounted for frozen weights with LoRA.
    """
    hidden, inner = shape.hidden_size, inner_width(shape)
    kept = hidden if checkpointing else SAVED_HIDDEN * hidden + SAVED_INNER * inner
    layers = up(shape.layer_count, pipeline) * kept
    backward = LAYER_HIDDEN * hidden + LAYER_INNER * inner
    loss = LOSS_BYTES * (shape.vocabulary_size or 0)
    return tokens * ((layers + backward) * value_bytes + loss)


def overhead_bytes(capacity: int, gpus: int) -> int:
    """Bytes of a GPU that hold none of the model: max(1.25 GiB, 8 %), and NCCL's with several."""
    spare = max(CONTEXT_BYTES, up(capacity * SPARE_PERCENT, 100))
    return spare + (NCCL_BYTES if gpus > 1 else 0)


def host_overhead_bytes(capacity: int) -> int:
    """Bytes of a machine without GPU that hold none of the model: max(1.5 GiB, 8 %)."""
    return max(PROCESS_BYTES, up(capacity * SPARE_PERCENT, 100))


def capacity_for(held: int, gpus: int) -> int:
    """Least memory of a GPU on which `held` bytes and the overhead find room."""
    held += NCCL_BYTES if gpus > 1 else 0
    return max(held + CONTEXT_BYTES, up(held * 100, 100 - SPARE_PERCENT) + 1)
