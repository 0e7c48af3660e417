"""Supply as a plan hands it out: what is left of each bin, found by what fits."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from node_provisioner import demand, rules, supply, views
from node_provisioner.views import Standing


@dataclass(frozen=True)
class Placement:
    """A waiting pod and the supply that it may count on."""

    pod: views.PodView
    bin: supply.Bin


@dataclass
class _Slot:
    bin: supply.Bin
    left: int


@dataclass(frozen=True)
class _Shape:
    """What decides which pods a bin can take, beside its room."""

    resource: str
    instance_type: str
    labels: tuple[tuple[str, str], ...]
    """Of those that any pod asks about."""
    taints: tuple[rules.Taint, ...]
    present: bool
    settled: bool


@dataclass
class _Pile:
    """Slots of one shape, the tightest first, then in the order in which they came."""

    slots: list[_Slot] = field(default_factory=list)
    starts: dict[int, int] = field(default_factory=dict)
    """Of the slots that may have room for so many devices."""

    def fill(self, each: int, waiting: deque[views.PodView]) -> list[Placement]:
        placed: list[Placement] = []
        at = self.starts.get(each, 0)
        while waiting and at < len(self.slots):
            placed += _fill(self.slots[at], each, waiting)
            at += self.slots[at].left < each
        self.starts[each] = at
        return placed


class Stock:
    """Bins, by what they are like and by the workload that they were bought for."""

    def __init__(self, bins: Iterable[supply.Bin], keys: Collection[str]) -> None:
        """`keys`: labels that any pod asks about."""
        self._keys = frozenset(keys)
        self._piles: dict[_Shape, _Pile] = {}
        self._own: dict[str, list[tuple[_Shape, _Slot]]] = {}
        self._slots: dict[tuple[str, str], _Slot] = {}
        self._fitting: dict[tuple[rules.Rules, str, bool, tuple[str, ...]], list[_Pile]] = {}
        for bin_ in sorted(bins, key=lambda b: (b.free, b.name)):
            if bin_.free > 0:
                self._add(bin_)

    def serve_own(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> list[Placement]:
        """Place pods from the front of `waiting` in what was bought for their workload."""
        placed: list[Placement] = []
        for shape, slot in self._own.get(wanted.workload.key, ()):
            if waiting and _fits(shape, wanted, own=True):
                placed += _fill(slot, max(wanted.spec.gpus, 1), waiting)
        return placed

    def serve(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> list[Placement]:
        """Place pods from the front of `waiting` in whatever there is; they leave it."""
        placed: list[Placement] = []
        for pile in self._piles_for(wanted):
            if not waiting:
                break
            placed += pile.fill(max(wanted.spec.gpus, 1), waiting)
        return placed

    def add_and_serve(
        self, bin_: supply.Bin, wanted: demand.Demand, waiting: deque[views.PodView]
    ) -> list[Placement]:
        """Place pods in a new bin alone, and keep what is left of it."""
        return _fill(self._add(bin_), max(wanted.spec.gpus, 1), waiting)

    def take_back(self, placed: Iterable[Placement]) -> None:
        """Undo placements."""
        for placement in placed:
            assert placement.pod.spec is not None
            self._slots[_key(placement.bin)].left += max(placement.pod.spec.gpus, 1)
        for pile in self._piles.values():
            pile.starts.clear()

    def remove(self, bin_: supply.Bin) -> None:
        """Take a bin out of which nothing is used."""
        self._slots[_key(bin_)].left = 0

    def _add(self, bin_: supply.Bin) -> _Slot:
        labels = bin_.label_map
        shape = _Shape(
            bin_.resource,
            bin_.instance_type,
            tuple((key, labels[key]) for key in sorted(self._keys & labels.keys())),
            bin_.taints,
            bool(bin_.node),
            bin_.settled,
        )
        slot = _Slot(bin_, bin_.free)
        if shape not in self._piles:
            self._piles[shape] = _Pile()
            self._fitting.clear()
        self._piles[shape].slots.append(slot)
        self._own.setdefault(bin_.workload, []).append((shape, slot))
        self._slots[_key(bin_)] = slot
        return slot

    def _piles_for(self, wanted: demand.Demand) -> list[_Pile]:
        patient = wanted.standing is not Standing.REFUSED
        key = (wanted.rules, wanted.spec.gpu_resource, patient, wanted.spec.instance_types)
        if key not in self._fitting:
            types = {name: place for place, name in enumerate(wanted.spec.instance_types)}
            fitting = [shape for shape in self._piles if _fits(shape, wanted, own=False)]
            fitting.sort(key=lambda shape: _preference(shape, types))
            self._fitting[key] = [self._piles[shape] for shape in fitting]
        return self._fitting[key]


def _key(bin_: supply.Bin) -> tuple[str, str]:
    return bin_.name, bin_.resource


def _fits(shape: _Shape, wanted: demand.Demand, *, own: bool) -> bool:
    """Whether pods can run there, and the scheduler has not yet refused to put them there."""
    return (
        shape.resource == wanted.spec.gpu_resource
        and (own or not shape.settled or wanted.standing is not Standing.REFUSED)
        and wanted.rules.admit(dict(shape.labels), shape.taints, complete=shape.present)
    )


def _preference(shape: _Shape, types: Mapping[str, int]) -> tuple[object, ...]:
    """Nodes that are there first, then in the order in which the workload likes the types."""
    place = types.get(shape.instance_type, len(types))
    return not shape.present, place, shape.instance_type, shape.labels, shape.taints, shape.settled


def _fill(slot: _Slot, each: int, waiting: deque[views.PodView]) -> list[Placement]:
    served = [waiting.popleft() for _ in range(min(slot.left // each, len(waiting)))]
    slot.left -= each * len(served)
    return [Placement(pod, slot.bin) for pod in served]
