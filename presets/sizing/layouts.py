"""What is asked of a model and what is found: modes, layouts, misfits. `sizing.fit` makes them."""

from dataclasses import dataclass

from presets.sizing import memory


@dataclass(frozen=True, slots=True)
class Serve:
    """Answering requests."""

    context_tokens: int | None = None
    """Longest prompt plus answer that must fit; None: the model's own, or what fits of it."""
    adapters: int = 0
    """LoRA adapters of rank 16 loaded beside the model."""
    sequences: int = 1
    """Sequences of that length at once."""

    def __post_init__(self) -> None:
        _positive(self.context_tokens, self.sequences)


@dataclass(frozen=True, slots=True)
class Tune:
    """Tuning with LoRA."""

    method: str = "qlora"
    """`lora` or `qlora`."""
    sequence_tokens: int | None = None
    """Length of one example; None: 2,048, or the model's context where that is less."""
    batch: int = 1
    """Examples per GPU and step."""
    gradient_checkpointing: bool = True
    """Computes the activations of a layer again instead of keeping them."""
    rank: int = 16

    def __post_init__(self) -> None:
        _positive(self.sequence_tokens, self.batch, self.rank)
        if self.method not in ("lora", "qlora"):
            raise ValueError(f"neither lora nor qlora: {self.method!r}")


Mode = Serve | Tune


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not, or what to know: a stable code and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How a model runs on a machine that it fits."""

    gpus_per_replica: int
    """On each node; 0 on a machine without GPU."""
    nodes: int
    """Machines of one replica."""
    tensor_parallel: int
    pipeline_parallel: int
    """Over all nodes; also the layers' way over the GPUs of one machine under transformers."""
    data_parallel: int
    """Replicas that one machine holds."""
    dtype: str
    context_tokens: int
    """Longest prompt plus answer; in tuning the length of one example."""
    kv_tokens: int
    """Tokens of cache that find room in all, in sequences of that length; 0 in tuning."""
    bill: memory.MemoryBill
    resource: str
    """Extended resource to ask for; empty on a machine without GPU."""
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a model does not run on a machine."""

    reasons: tuple[Reason, ...]
    bill: memory.MemoryBill
    """At the least that was asked for, on as many GPUs as the machine can put to it."""
    gpus: int
    """GPUs that the bill divides the model among."""
    needed_bytes: int
    """Memory that each of that many GPUs would have to have."""
    needed_capability: tuple[int, int]
    """Compute capability that it would have to have."""

    @property
    def sentence(self) -> str:
        """Every reason in words."""
        return "; ".join(reason.sentence for reason in self.reasons)

    @property
    def biggest(self) -> str:
        """The part of the bill that makes it big."""
        return self.bill.biggest


def _positive(*values: int | None) -> None:
    if any(value is not None and value < 1 for value in values):
        raise ValueError(f"not above zero: {values}")
