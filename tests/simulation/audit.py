"""What must hold while the simulation runs, whatever happens; `rest` has what must hold afterwards.

I1: a claim is bought only where the spare ones cannot hold the pods that waited a moment ago.
I4: only our own objects are written. I5: a claim is not given back from under a pod that has run
for a while. And calls are bounded in every minute.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from kubeapi import api, objects
from presets import annotations, provision_spec
from tests import api_store
from tests.simulation import claims, cloud, machines, memory, scheduling, virtual_time, world

_SETTLED_SECONDS = 30.0
"""A pod that is bound so long is known to whoever looks before it deletes."""
_STALE_SECONDS = 120.0
"""A planner may decide from what was so long ago: lagging watches, a paused process."""
_CREATES, _CREATES_PER_POD = 10, 4
"""Claims in a minute: a pod's offers in turn, twice, and some more."""
_CALLS, _CALLS_PER_CHANGE = 150, 6
"""Calls in a minute, and for each change that was not our own."""
_AMID_SECONDS = 1.0
"""A call takes less."""
_OWN = frozenset({"nodeclaims", "events", "leases"})
"""Kinds that the planner may write."""


@dataclass
class Audit:
    """Listens to everything, and keeps what went wrong."""

    world: world.World
    fleet: machines.Machines
    violations: list[str] = field(default_factory=list)
    creates: list[float] = field(default_factory=list)
    bound_at: dict[str, float] = field(default_factory=dict)
    """By uid of the pod."""
    unschedulable_at: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._waiting: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
        """How many pods of each workload and spec waited, from when on."""
        self._writer: virtual_time.Process | None = None
        self._gated: set[str] = set()
        """Pods that ever waited behind a gate, by uid."""
        self._changes: Counter[int] = Counter()
        self.world.memory.listeners.append(self._heard)

    def complain(self, rule: str, text: str) -> None:
        """Note a violation."""
        self.violations.append(f"{self.world.now:9.3f} s {rule}: {text}")

    def writes(self, process: virtual_time.Process, method: str, wanted: api_store.Target) -> None:
        """Called before a program's write is done."""
        self._writer = process
        lifted = method == "PATCH" and wanted.plural == "pods" and self._was_gated(wanted)
        if not (wanted.plural in _OWN or lifted or self._is_own_node(method, wanted)):
            self.complain("I4", f"{process.name}: {method} {wanted.plural}/{wanted.key}")
        if wanted.plural == "nodeclaims" and method == "DELETE":
            self._judge_delete(process, wanted)

    def _is_own_node(self, method: str, wanted: api_store.Target) -> bool:
        """A node that was bought may be closed before it goes."""
        node = self.world.memory.get("nodes", wanted.name) if wanted.plural == "nodes" else None
        return method == "PATCH" and node is not None and annotations.CLAIM in _labels(node)

    def _was_gated(self, wanted: api_store.Target) -> bool:
        """A gate of ours may be lifted, again where the watch has not yet shown that it was."""
        pod = self.world.memory.get("pods", wanted.key)
        return pod is None or pod["metadata"]["uid"] in self._gated

    def judge_calls(self, calls: list[memory.Call]) -> None:
        """Whether one program's calls were bounded in every minute."""
        minutes = Counter(int(call.at // 60) for call in calls)
        for minute, count in minutes.items():
            changes = self._changes[minute] + self._changes[minute - 1]
            if count > (most := _CALLS + _CALLS_PER_CHANGE * changes):
                kinds = Counter((c.method, c.path) for c in calls if int(c.at // 60) == minute)
                often = kinds.most_common(3)
                self.complain("rate", f"minute {minute}: {count} calls, more than {most}: {often}")

    def _heard(self, change: api_store.Change) -> None:
        self._changes[int(self.world.now // 60)] += not self.world.memory.written_by_us
        if change.plural == "pods":
            self._note_pod(change)
        elif change.plural == "nodeclaims" and change.before is None and change.after is not None:
            self._judge_create(change.after)

    def _note_pod(self, change: api_store.Change) -> None:
        item = change.after or change.before
        assert item is not None
        uid = item["metadata"]["uid"]
        if change.after is None:
            self.bound_at.pop(uid, None)
        elif change.after["spec"].get("nodeName"):
            self.bound_at.setdefault(uid, self.world.now)
        if scheduling.is_gated(item):
            self._gated.add(uid)
        refused = world.condition(item, "PodScheduled").get("reason") == "Unschedulable"
        if change.after and (refused or scheduling.is_gated(item)):
            self.unschedulable_at.setdefault(uid, self.world.now)
        else:
            self.unschedulable_at.pop(uid, None)
        if group := _group(item):
            counted = sum(
                _group(pod) == group and scheduling.is_waiting(pod)
                for pod in self.world.memory.all("pods")
            )
            self._waiting[group].append((self.world.now, counted))

    def _judge_create(self, claim: api.Object) -> None:
        view = claims.read(claim)
        if not view.ours:
            return
        self.creates.append(self.world.now)
        self._judge_rate()
        types = self._types_beside(view)
        spare = [
            other["metadata"]["name"]
            for other in self.world.memory.all("nodeclaims")
            if self._is_spare(other, types)
        ]
        wanting = [group for group in self._waiting if types & set(_spec(group).instance_types)]
        most = sum(self._nodes_wanted(group) for group in wanting)
        if len(spare) > most and not self._acts_late():
            text = f"{len(spare)} spare claims ({', '.join(spare)}) where {most} are enough"
            self.complain("I1", f"{view.name} for {view.workload}: {text}")

    def _acts_late(self) -> bool:
        """Whether who writes was stopped amid the call: it decided by what was before."""
        writer = self._writer
        return writer is not None and self.world.now - writer.paused_until < _AMID_SECONDS

    def _judge_rate(self) -> None:
        """Purchases of the last minute, refused ones included, against the pods that waited."""
        recent = sum(at > self.world.now - 60.0 for at in self.creates)
        waiting = sum(self._most_waiting(group) for group in self._waiting)
        if recent > (most := _CREATES + _CREATES_PER_POD * waiting):
            self.complain("rate", f"{recent} claims in a minute, more than {most}")

    def _types_beside(self, bought: claims.Claim) -> set[str]:
        """Instance types that the pods for which the claim was bought can all use as well."""
        groups = [group for group in self._waiting if group[0] == bought.workload]
        specs = [set(_spec(group).instance_types) for group in groups]
        fitting = [types for types in specs if bought.offer[0] in types]
        return set.intersection(*fitting) if fitting else {bought.offer[0]}

    def _nodes_wanted(self, group: tuple[str, str]) -> int:
        """Nodes that the pods of a workload which waited in the last minutes needed at most."""
        pods, spec = self._most_waiting(group), _spec(group)
        each = min(cloud.GPUS[kind] // max(spec.gpus, 1) for kind in spec.instance_types)
        return -(-pods // max(each, 1))

    def _most_waiting(self, group: tuple[str, str]) -> int:
        """Pods that waited at most in the last minutes."""
        series, horizon = self._waiting[group], self.world.now - _STALE_SECONDS
        recent = [count for at, count in series if at >= horizon]
        earlier = [count for at, count in series if at < horizon]
        return max([*recent, *earlier[-1:]], default=0)

    def _is_spare(self, claim: api.Object, types: set[str]) -> bool:
        """Whether all of the claim's node is there for the taking, or on its way."""
        view = claims.read(claim)
        if not view.ours or view.ending or view.offer[0] not in types:
            return False
        machine = self.fleet.of(claim)
        node = self.world.memory.get("nodes", machine.node) if machine else None
        if machine is None or node is None:
            return not view.node  # a node that was there and is gone serves nobody
        if view.initialized and not scheduling.is_ready(node):
            return False
        closed = node["spec"].get("unschedulable") or not machine.alive
        return not closed and not scheduling.pods_on(self.world, machine.node)

    def _judge_delete(self, process: virtual_time.Process, wanted: api_store.Target) -> None:
        claim = self.world.memory.get("nodeclaims", wanted.name)
        if claim is None:
            return
        if not claims.read(claim).ours:
            self.complain("I4", f"{wanted.name} is deleted, and is not ours")
        machine = self.fleet.of(claim)
        if machine is None or not machine.alive or "deletionTimestamp" in claim["metadata"]:
            return
        paused = self.world.now - process.paused_until < _SETTLED_SECONDS
        for pod in scheduling.pods_on(self.world, machine.node):
            since = self.world.now - self.bound_at[pod["metadata"]["uid"]]
            running = not scheduling.is_finished(pod) and "deletionTimestamp" not in pod["metadata"]
            if running and since > _SETTLED_SECONDS and not paused:
                name = api_store.key_of(pod["metadata"])
                self.complain(
                    "I5", f"{wanted.name} is deleted under {name}, bound for {since:.0f} s"
                )


def _labels(item: api.Object) -> api.Object:
    found: api.Object = item["metadata"].get("labels", {})
    return found


def _group(pod: api.Object) -> tuple[str, str] | None:
    """Workload and spec of a managed pod."""
    meta = pod["metadata"]
    if meta["labels"].get(annotations.MANAGED) != "true":
        return None
    return objects.workload(meta).key, str(meta["annotations"][annotations.PROVISION_SPEC])


def _spec(group: tuple[str, str]) -> provision_spec.ProvisionSpec:
    return provision_spec.ProvisionSpec.from_json(group[1])
