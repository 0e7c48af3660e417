"""Supply as a plan hands it out: what is left of each bin, found by what fits."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from node_provisioner import supply, views
from presets import provision_spec


@dataclass(frozen=True)
class Placement:
    """A waiting pod and the supply that it may count on."""

    pod: views.PodView
    bin: supply.Bin


@dataclass
class _Slot:
    bin: supply.Bin
    left: int


class Stock:
    """Bins by instance type, resource and workload, the tightest first."""

    def __init__(self, bins: Iterable[supply.Bin]) -> None:
        self._any: dict[tuple[str, str], list[_Slot]] = {}
        self._own: dict[tuple[str, str, str], list[_Slot]] = {}
        for bin_ in sorted(bins, key=lambda b: (b.free, b.name)):
            if bin_.free > 0:
                self._add(_Slot(bin_, bin_.free))

    def serve(
        self,
        spec: provision_spec.ProvisionSpec,
        waiting: deque[views.PodView],
        *,
        bought_for: str | None = None,
    ) -> list[Placement]:
        """Place pods from the front of `waiting` while there is room; they leave it.

        With `bought_for`, only in what was bought for this workload.
        """
        placed: list[Placement] = []
        for instance_type in spec.instance_types:
            if bought_for is None:
                slots = self._any.get((instance_type, spec.gpu_resource), [])
            else:
                slots = self._own.get((instance_type, spec.gpu_resource, bought_for), [])
            for slot in slots:
                if not waiting:
                    return placed
                placed += _fill(slot, spec.gpus, waiting)
        return placed

    def add_and_serve(
        self, bin_: supply.Bin, spec: provision_spec.ProvisionSpec, waiting: deque[views.PodView]
    ) -> list[Placement]:
        """Place pods in a new bin alone, and keep what is left of it."""
        slot = _Slot(bin_, bin_.free)
        placed = _fill(slot, spec.gpus, waiting)
        self._add(slot)
        return placed

    def _add(self, slot: _Slot) -> None:
        kind = (slot.bin.instance_type, slot.bin.resource)
        self._any.setdefault(kind, []).append(slot)
        self._own.setdefault((*kind, slot.bin.workload), []).append(slot)


def _fill(slot: _Slot, gpus: int, waiting: deque[views.PodView]) -> list[Placement]:
    each = max(gpus, 1)
    if slot.left < each:
        return []
    served = [waiting.popleft() for _ in range(min(slot.left // each, len(waiting)))]
    slot.left -= each * len(served)
    return [Placement(pod, slot.bin) for pod in served]
