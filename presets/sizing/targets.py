"""What of a machine matters to a model: GPUs, memory of one, what they compute with."""

from typing import NamedTuple

from presets import gpus
from presets.sizing import memory


class Target(NamedTuple):
    """A machine, or the slices of one, as `sizing` sees it."""

    gpus: int
    """0: it computes on its CPUs."""
    parts: int
    """Independent parts of it: 1, or its MIG slices."""
    capacity: int
    """Bytes of one GPU, of one slice, or of the machine where it has no GPU."""
    capability: tuple[int, int]
    """(0, 0): not CUDA."""
    bfloat16: bool
    resource: str
    """Extended resource; empty: no GPU."""

    @property
    def is_cuda(self) -> bool:
        """The model server has a build for it."""
        return self.resource.startswith("nvidia.com/")

    def overhead(self, count: int) -> int:
        """Bytes of each GPU that hold none of the model when `count` of them share it."""
        if self.gpus == 0:
            return memory.host_overhead_bytes(self.capacity)
        return memory.overhead_bytes(self.capacity, count)

    def room(self, count: int) -> int:
        """Bytes of each GPU for the model when `count` of them share it."""
        return self.capacity - self.overhead(count)


def of(machine: gpus.InstanceType, mig: gpus.MigProfile | None = None) -> Target:
    """The machine, with its GPUs cut into slices of `mig` if given: each slice stands alone."""
    if machine.gpus == 0:
        return Target(0, 1, machine.host_memory_bytes or 0, (0, 0), bfloat16=True, resource="")
    model = machine.model
    capability = model.compute_capability or (0, 0)
    if mig is not None:
        parts = mig.per_gpu * machine.gpus
        return Target(1, parts, mig.memory_bytes, capability, model.bfloat16, mig.resource)
    return Target(
        machine.gpus, 1, machine.gpu_memory_bytes, capability, model.bfloat16, model.resource
    )
