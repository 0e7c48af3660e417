"""Whether a model fits a machine, and how it is laid out there: the search for a layout."""

from collections.abc import Iterable, Sequence

from presets import gpus, preset
from presets.sizing import demands, kernels, memory, obstacles, reasons, targets
from presets.sizing.layouts import Layout, Misfit, Mode, Reason

CONTEXT_STEP_TOKENS = 256
"""A shortened context is a multiple of it: whole blocks of every paged cache (16 to 256)."""

MOST_NODES = 4
"""Machines of one replica at most: every stage adds a way over the network to every token."""

JOINED_GPUS = 4
"""GPUs that a machine has at least to be joined with others: small ones have slow networks."""


def fit(
    known: preset.Preset,
    instance_type: gpus.InstanceType,
    mode: Mode,
    *,
    mig: gpus.MigProfile | None = None,
) -> Layout | Misfit:
    """The layout of `known` on the machine, or everything that stands against it.

    Serving takes the fewest GPUs of one machine that hold the context asked for, else the model's
    whole one; where none does, as many as serve the largest multiple of 256 tokens that fits, at
    least 2,048 or the model's own. What does not fit one machine is spread over the
    fewest of at most 4. Tuning takes the fewest GPUs that hold one copy, and copies for the rest.
    `mig`: on slices of that profile, one for each replica.

    Laws: more memory never turns a fit into a misfit; more context never needs less; QLoRA never
    needs more than LoRA; the parts of a layout's bill are at most the capacity.
    """
    return Fits(known, mode).on(instance_type, mig)


class Fits:
    """`fit` of one model in one mode on many machines: what they have in common is computed once.

    Sizes of one family differ in processors and disks alone, GPUs of one age compute in the same
    dtypes: of all instance types half are left to lay out, with a handful of demands.
    """

    def __init__(self, known: preset.Preset, mode: Mode) -> None:
        self._known, self._mode = known, mode
        self._demands: dict[tuple[str, str], demands.Demand] = {}
        self._found: dict[targets.Target, Layout | Misfit] = {}

    def on(
        self, instance_type: gpus.InstanceType, mig: gpus.MigProfile | None = None
    ) -> Layout | Misfit:
        """The same as `fit` of the machine."""
        target = targets.of(instance_type, mig)
        found = self._found.get(target)
        if found is None:
            found = self._found[target] = _fit(
                self._known, self._mode, target, self._demand(target)
            )
        return found

    def _demand(self, target: targets.Target) -> demands.Demand:
        dtypes = demands.dtypes(self._known, target)
        if dtypes not in self._demands:
            self._demands[dtypes] = demands.of(self._known, self._mode, *dtypes)
        return self._demands[dtypes]


def sufficient(misfit: Misfit, known: Iterable[gpus.Gpu]) -> gpus.Gpu | None:
    """The GPU with the least memory that would do, as many of them as `misfit.gpus`; None: none."""
    enough = (
        gpu
        for gpu in known
        if gpu.resource == gpus.GPU_RESOURCE
        and gpu.memory_bytes >= misfit.needed_bytes
        and (gpu.compute_capability or (0, 0)) >= misfit.needed_capability
    )
    return min(enough, key=lambda gpu: (gpu.memory_bytes, gpu.name), default=None)


def _fit(
    known: preset.Preset, mode: Mode, target: targets.Target, demand: demands.Demand
) -> Layout | Misfit:
    against = tuple(obstacles.against(known, target, mode))
    splits = demands.splits(known, mode, target)
    if not against:
        found = _one_machine(target, demand, splits) or _machines(known, target, demand, splits[-1])
        if found is not None:
            return _layout(known, target, demand, *found)
    return _misfit(target, demand, splits[-1], against, obstacles.capability(known, mode))


def _one_machine(
    target: targets.Target, demand: demands.Demand, splits: Sequence[demands.Split]
) -> tuple[demands.Split, int] | None:
    """The split and the tokens on one machine; None where even the least does not fit."""
    for split in splits:
        if demand.total(split, demand.wanted) <= target.room(split.gpus):
            return split, demand.wanted
    return _shortened(target, demand, splits[::-1])


def _machines(
    known: preset.Preset, target: targets.Target, demand: demands.Demand, whole: demands.Split
) -> tuple[demands.Split, int] | None:
    """The split and the tokens on the fewest machines that hold the least; None where none do.

    `whole`: how all GPUs of one machine divide it.
    """
    joins = demand.serves and target.gpus >= JOINED_GPUS and known.gpus is None
    if not joins or not kernels.uses_vllm(known, target.capability):
        return None
    for nodes in range(2, min(MOST_NODES, known.shape.layer_count // whole.pipeline) + 1):
        split = demands.Split(nodes, whole.tensor, whole.pipeline * nodes)
        if demand.total(split, demand.wanted) <= target.room(split.gpus):
            return split, demand.wanted
        if found := _shortened(target, demand, (split,)):
            return found
    return None


def _shortened(
    target: targets.Target, demand: demands.Demand, splits: Sequence[demands.Split]
) -> tuple[demands.Split, int] | None:
    """The first split with the most tokens that any holds; None where none holds the least."""
    if demand.least == demand.wanted:
        return None
    best, tokens = None, 0
    for split in splits:
        room = target.room(split.gpus)
        more = demand.least if best is None else tokens + CONTEXT_STEP_TOKENS
        if demand.total(split, more) <= room:
            best, tokens = split, _longest(demand, split, room)
    return None if best is None else (best, tokens)


def _longest(demand: demands.Demand, split: demands.Split, room: int) -> int:
    """Most tokens that find room: a multiple of 256, or the least where none above it does.

    Bytes grow almost in proportion to tokens, so a step along the line through both ends lands
    next to the answer; every third step halves the interval, which bounds the number of steps.
    """
    low, high = demand.least // CONTEXT_STEP_TOKENS, -(-demand.wanted // CONTEXT_STEP_TOKENS)
    at_low = demand.total(split, demand.least)
    at_high = demand.total(split, demand.wanted)
    turn = 0
    while high - low > 1:
        turn += 1
        guess = (low + high) // 2
        if turn % 3 and at_high > at_low:
            guess = low + (high - low) * (room - at_low) // (at_high - at_low) + turn % 3 - 1
            guess = min(max(guess, low + 1), high - 1)
        size = demand.total(split, guess * CONTEXT_STEP_TOKENS)
        if size <= room:
            low, at_low = guess, size
        else:
            high, at_high = guess, size
    return max(demand.least, low * CONTEXT_STEP_TOKENS)


def _bill(target: targets.Target, split: demands.Split, parts: demands.Parts) -> memory.MemoryBill:
    return memory.MemoryBill(*parts, target.overhead(split.gpus), target.capacity)


def _layout(
    known: preset.Preset,
    target: targets.Target,
    demand: demands.Demand,
    split: demands.Split,
    tokens: int,
) -> Layout:
    bill = _bill(target, split, demand.held(split, tokens))
    machine = max(target.gpus, 1)
    on_each = split.gpus // split.nodes
    pool = bill.kv_cache + bill.free
    return Layout(
        gpus_per_replica=min(on_each, target.gpus),
        nodes=split.nodes,
        tensor_parallel=split.tensor,
        pipeline_parallel=split.pipeline,
        data_parallel=1 if split.nodes > 1 else target.parts * machine // on_each,
        dtype=demand.dtype,
        context_tokens=tokens,
        kv_tokens=pool * tokens * demand.sequences // bill.kv_cache if bill.kv_cache else 0,
        bill=bill,
        resource=target.resource,
        warnings=(
            *obstacles.warnings(known, target, demand.dtype),
            *([_context_shortened(tokens, demand.wanted)] if tokens < demand.wanted else ()),
        ),
    )


def _context_shortened(tokens: int, wanted: int) -> Reason:
    return Reason(reasons.CONTEXT_SHORTENED, f"{tokens:,} tokens fit of the model's {wanted:,}")


def _misfit(
    target: targets.Target,
    demand: demands.Demand,
    split: demands.Split,
    against: tuple[Reason, ...],
    capability: tuple[int, int],
) -> Misfit:
    """With the bill of `split`, which leaves the least to each GPU of one machine."""
    parts = demand.held(split, demand.least)
    bill = _bill(target, split, parts)
    needed = memory.capacity_for(sum(parts), split.gpus)
    if bill.free < 0:
        each = f"each of {split.gpus} GPUs needs" if split.gpus > 1 else "it needs"
        sentence = (
            f"{each} {needed / memory.GIB:,.1f} GiB and has {bill.capacity / memory.GIB:,.1f},"
            f" most of it for {bill.biggest}"
        )
        against = (*against, Reason(reasons.TOO_LITTLE_MEMORY, sentence))
    return Misfit(against, bill, split.gpus, needed, capability)
