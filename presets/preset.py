"""What is known of a model that a name stands for."""

from dataclasses import dataclass

FULL = "full"
SLIDING = "sliding"
LATENT = "latent"
STATE = "state"
KINDS = (FULL, SLIDING, LATENT, STATE)
"""What a layer remembers of a sequence: every token, the last tokens, one compressed vector for
every token, or a state of fixed size."""


@dataclass(frozen=True)
class LayerGroup:
    """Layers that remember a sequence in the same way."""

    count: int
    """Layers of the group."""
    kind: str
    """One of `KINDS`."""
    kv_heads: int = 0
    """Full and sliding: heads of keys and of values."""
    head_dim: int = 0
    """Full and sliding: values of one key and of one value."""
    window_tokens: int = 0
    """Sliding: tokens that are remembered."""
    latent_dim: int = 0
    """Latent: values that one layer remembers of a token: kv_lora_rank + qk_rope_head_dim, and
    index_head_dim where the layer has an index. One vector for all heads: tensor parallelism does
    not divide it."""
    state_bytes: int = 0
    """Bytes that one layer holds for one sequence, whatever its length: the state of a state layer,
    0 where it remembers nothing (an MLP on its own, a layer that reads the cache of another), and
    what a latent layer holds beside its vectors (the window of a compressed one)."""

    @property
    def token_values(self) -> int:
        """Values that one layer caches for each remembered token."""
        return self.latent_dim if self.kind == LATENT else 2 * self.kv_heads * self.head_dim


@dataclass(frozen=True)
class Shape:
    """Sizes of the network that the memory bill needs."""

    architecture: str
    """Class name in transformers; empty: unknown."""
    hidden_size: int
    attention_heads: int
    """Query heads of one layer; 0: no layer attends."""
    vocabulary_size: int | None
    intermediate_size: int | None
    """Inner width of the MLP; of a mixture, of all experts that one token passes."""
    layers: tuple[LayerGroup, ...]
    tied_head: bool = False
    """The output head is the table of token embeddings."""

    @property
    def layer_count(self) -> int:
        """Layers of all groups."""
        return sum(group.count for group in self.layers)

    @property
    def attention(self) -> str:
        """`MHA`, `GQA`, `MQA` or `MLA`; `hybrid` where layers remember in different ways."""
        if len({group.kind for group in self.layers}) > 1:
            return "hybrid"
        (kind,) = {group.kind for group in self.layers} or {STATE}
        if kind == LATENT:
            return "MLA"
        if kind == STATE:
            return "none"
        heads = max(group.kv_heads for group in self.layers)
        if heads == 1:
            return "MQA"
        return "MHA" if heads == self.attention_heads else "GQA"


@dataclass(frozen=True)
class Weights:
    """Where the weights are and how big they are."""

    source: str
    """`org/name` of the hub, or an absolute directory inside the runtime image."""
    revision: str
    """Commit of the hub repository; empty for a directory, which the image's tag pins, and where
    no commit is known."""
    size_bytes: int
    """Size of the weight files to load."""
    parameters: int | None = None
    """Parameters of the network, all experts counted; None: unknown."""
    quantization: str = ""
    """How the weights are stored: `fp8`, `mxfp4`, `nvfp4`, `awq`, `gptq`, `int4`, `bnb`, ...
    Empty: in the preset's `dtype`."""

    @property
    def in_image(self) -> bool:
        """The runtime image holds them: nothing is downloaded."""
        return self.source.startswith("/")

    @property
    def dtype_bytes(self) -> float | None:
        """Bytes of one parameter on average; None where the parameters are not counted."""
        return self.size_bytes / self.parameters if self.parameters else None


@dataclass(frozen=True)
class Serving:
    """How model servers are told to serve it."""

    runtimes: tuple[str, ...] = ()
    """Of `vllm`, `transformers` and `torchrun`, those that are known to serve it."""
    chat_template: str = ""
    """File of the template; empty: the tokenizer's own."""
    tool_parser: str = ""
    """vLLM's parser of tool calls; empty: none."""
    reasoning_parser: str = ""
    """vLLM's parser of reasoning; empty: none."""
    trust_remote_code: bool = False
    """The model's repository holds code that the transformers runtime must run."""
    kv_dtype: str = ""
    """Type of the KV cache: `fp8`; empty: the preset's `dtype`."""


@dataclass(frozen=True)
class Tuning:
    """How it can be tuned."""

    methods: tuple[str, ...] = ()
    """Of `lora` and `qlora`; empty: it cannot be tuned."""


@dataclass(frozen=True)
class Preset:
    """A model by name: what serving and tuning it take."""

    name: str
    """Lower case, fit for a label's value."""
    family: str
    aliases: tuple[str, ...]
    """Other names, the hub id among them; looked up in whatever case."""
    hub_id: str
    """`org/name` of the hub; empty: not there."""
    licence: str
    """SPDX identifier, or the name of the model's own licence."""
    gated: bool | None
    """The hub asks for a token and an accepted licence; None: unknown."""
    weights: Weights
    shape: Shape
    dtype: str
    """Type that it computes in where the GPU has it: `bfloat16`, `float16` or `float32`."""
    context_tokens: int
    """Longest prompt plus answer that it was made for."""
    serving: Serving = Serving()
    tuning: Tuning = Tuning()
    cpu: bool = False
    """So small that a node without GPU serves it at a bearable pace."""
    gpus: int | None = None
    """GPUs of one replica as the author wants it; None: the sizing decides."""
    instance_types: tuple[str, ...] = ()
    """Where it runs when the user names none, in the author's order; empty: the offers decide."""
    sources: tuple[tuple[str, str], ...] = ()
    """Figure and where it comes from; `*` is every figure without a source of its own."""
    notes: str = ""
    """What is uncertain or differs from what others publish."""
