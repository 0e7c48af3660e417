"""Serving on processors, in a cluster without GPUs: what a pod asks of whatever node there is."""

from functools import lru_cache

from presets import gpus, preset, sizing
from presets.sizing import memory
from webhook import machines

_MIB = 2**20

NO_GPUS = "the cluster has no GPUs"

_NODE = gpus.without_gpu("processors", 2**50)
"""A machine with memory for every model: how much a node has is the scheduler's to look at."""


@lru_cache(maxsize=512)
def find(model: preset.Preset, mode: sizing.Mode) -> machines.Machines | machines.NoMachine:
    """What the pods of `model` ask for, with the context of a machine of our choice.

    The memory holds the model, one sequence of that length and the process. There is always enough
    of it, so that the one thing in the way is that the model needs a GPU.
    """
    found = sizing.fit(model, _NODE, machines.modes(model, mode)[0])
    if isinstance(found, sizing.Misfit):
        return machines.NoMachine((NO_GPUS,), "")
    held = found.bill.total - found.bill.overhead + memory.PROCESS_BYTES
    asked = memory.up(held, _MIB) * _MIB
    return machines.Machines((), 0, found.context_tokens, dtype=found.dtype, memory_bytes=asked)
