"""A cloud that fulfils NodeClaims as Karpenter and gpu-provisioner do, good days and bad.

A claim is launched, its machine boots and registers a Node, the Node turns Ready, the GPUs appear
later, and then the claim is Initialized. `Mood` says what goes wrong meanwhile. The provider is a
level-triggered program that can be away; machines live on without it. Times and endings are those
measured with Karpenter 1.14.1 and read in gpu-provisioner 0.4.3.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from kubeapi import api
from tests import api_store
from tests.simulation import claims, machines, scheduling, world

GPUS = {
    "Standard_NC6s_v3": 1,
    "Standard_NC24ads_A100_v4": 1,
    "Standard_NC12s_v3": 2,
    "Standard_NC24s_v3": 4,
}
"""What there is to buy."""
FINALIZER = "karpenter.sh/termination"
_REGISTRATION_SECONDS = 900.0
"""A launched claim whose node does not appear is deleted after this."""
_LAUNCH_SECONDS = 300.0
"""A claim that is not launched is deleted after this."""
_DRAIN_SECONDS = 5.0
_LONGEST_DRAIN_SECONDS = 300.0
"""terminationGracePeriod of our claims."""


@dataclass
class Mood:
    """What goes wrong with new claims at the moment; each a part of them."""

    mute: float = 0.0
    """Never gets a condition: the provider does not see it."""
    dud: float = 0.0
    """Launched, and the node never appears."""
    gpuless: float = 0.0
    """The node is Ready and its GPUs never appear."""
    leak: float = 0.0
    """Deleted before it was launched, it leaves its machine behind."""
    gpu_seconds: float = 30.0
    """At most so long until the GPUs of a Ready node appear."""
    texts: bool = False
    """A lack of capacity shows as LaunchFailed and a text, as with gpu-provisioner."""
    class_missing: bool = False
    """The node class does not exist or is not ready."""


@dataclass
class Cloud:
    """The provider and what it has to sell."""

    world: world.World
    fleet: machines.Machines
    mood: Mood = field(default_factory=Mood)
    up: bool = True
    out_of: set[claims.Offer] = field(default_factory=set)
    """Offers that cannot be had."""
    stuck: bool = False
    """Finalizers are not removed."""
    leaked: set[str] = field(default_factory=set)
    """Machines that were forgotten, by uid of their claim."""
    refusals: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._fates: dict[str, Mood] = {}
        self.world.memory.listeners.append(self._heard)

    def restart(self) -> None:
        """Come back and look at everything."""
        self.up = True
        for claim in self.world.memory.all("nodeclaims"):
            self._soon(claim["metadata"]["name"])

    def _heard(self, change: api_store.Change) -> None:
        if change.plural == "nodeclaims" and change.after is not None:
            self._soon(change.after["metadata"]["name"])
        elif change.plural == "nodes":
            item = change.after or change.before
            assert item is not None
            for claim in self.world.memory.all("nodeclaims"):
                machine = self.fleet.of(claim)
                if machine and machine.node == item["metadata"]["name"]:
                    self._soon(claim["metadata"]["name"])

    def _soon(self, name: str, least: float = 0.01, most: float = 0.2) -> None:
        self.world.after(self.world.between(least, most), partial(self._reconcile, name))

    def _reconcile(self, name: str) -> None:
        claim = self.world.memory.get("nodeclaims", name)
        if claim is None or not self.up or not claims.read(claim).ours:
            return
        uid = claim["metadata"]["uid"]
        if uid not in self._fates:
            self._fates[uid] = self._fate()
        fate = self._fates[uid]
        machine = self.fleet.of(claim)
        if "deletionTimestamp" in claim["metadata"]:
            self._terminate(claim, machine, fate)
        elif fate.mute:
            return
        elif FINALIZER not in claim["metadata"].get("finalizers", ()):
            meta = {**claim["metadata"], "finalizers": [FINALIZER]}
            self.world.memory.put("nodeclaims", {**claim, "metadata": meta})
        elif world.condition(claim, "Launched").get("status") != "True":
            self._launch(claim, machine, fate)
        elif not claims.read(claim).node:
            self._register(claim, machine)
        else:
            self._initialize(claim)

    def _fate(self) -> Mood:
        dice, mood = self.world.random, self.mood
        return Mood(
            mute=float(dice.random() < mood.mute),
            dud=float(dice.random() < mood.dud),
            gpuless=float(dice.random() < mood.gpuless),
            leak=float(dice.random() < mood.leak),
            gpu_seconds=self.world.between(0.1, mood.gpu_seconds),
        )

    def _launch(self, claim: api.Object, machine: machines.Machine | None, fate: Mood) -> None:
        name = claim["metadata"]["name"]
        if machine is None:
            if self.mood.class_missing:
                self._refuse(claim, "NodeClassNotReady")
            elif claims.read(claim).offer in self.out_of and self.mood.texts:
                self._fail_with_text(claim)
            elif claims.read(claim).offer in self.out_of:
                self._refuse(claim, "InsufficientCapacityError")
            else:
                self.fleet.order(claim, GPUS.get(claims.read(claim).offer[0], 1), fate)
                self._soon(name, 0.5, 20.0)
            return
        if self.world.now >= machine.ordered_at + 0.5:
            fresh = self.world.condition("Launched", "True", "Launched")
            done = world.with_conditions(claim, fresh, providerID=machine.uid)
            self.world.memory.put("nodeclaims", done)

    def _refuse(self, claim: api.Object, reason: str) -> None:
        """Karpenter: an event, and the claim is gone without a trace."""
        name = claim["metadata"]["name"]
        self.refusals[reason] += 1
        about = {"kind": "NodeClaim", "name": name, "uid": claim["metadata"]["uid"]}
        meta = {"namespace": "default", "name": f"{name}.{self.world.random.getrandbits(40):x}"}
        told = {
            "involvedObject": about,
            "reason": reason,
            "message": f"{claims.read(claim).offer}",
            "type": "Warning",
        }
        self.world.memory.put("events", {"metadata": meta, **told})
        self.world.memory.remove("nodeclaims", name)

    def _fail_with_text(self, claim: api.Object) -> None:
        """gpu-provisioner: a condition with the cloud's words; tried again, deleted after 5 min."""
        name, failed = claim["metadata"]["name"], world.condition(claim, "Launched")
        if not failed:
            text = f"SkuNotAvailable: {claims.read(claim).offer[0]} is not available in eastus"
            fresh = self.world.condition("Launched", "Unknown", "LaunchFailed", text)
            self.world.memory.put(
                "nodeclaims", world.with_conditions(claim, fresh, failedAt=self.world.now)
            )
        elif self.world.now - claim["status"]["failedAt"] >= _LAUNCH_SECONDS:
            self.refusals["LaunchFailed"] += 1
            self.world.memory.remove("nodeclaims", name)
            return
        self._soon(name, 20.0, 60.0)

    def _register(self, claim: api.Object, machine: machines.Machine | None) -> None:
        """Give the machine's Node its labels and let pods in."""
        name = claim["metadata"]["name"]
        node = self.world.memory.get("nodes", machine.node) if machine else None
        if machine is None or node is None:
            waited = self.world.now - (machine.ordered_at if machine else 0.0)
            if machine is None or waited >= _REGISTRATION_SECONDS:
                self.delete(claim)
            else:
                self._soon(name, 60.0, 120.0)
            return
        capacity = {claims.CAPACITY_TYPE: claims.read(claim).offer[1]}
        labels = {**node["metadata"]["labels"], **claim["metadata"]["labels"], **capacity}
        taints = [t for t in node["spec"]["taints"] if t["key"] != scheduling.UNREGISTERED]
        meta = {**node["metadata"], "labels": labels}
        self.world.memory.put(
            "nodes", {**node, "metadata": meta, "spec": {**node["spec"], "taints": taints}}
        )
        fresh = self.world.condition("Registered", "True", "Registered")
        self.world.memory.put(
            "nodeclaims", world.with_conditions(claim, fresh, nodeName=machine.node)
        )

    def _initialize(self, claim: api.Object) -> None:
        node = self.world.memory.get("nodes", claim["status"]["nodeName"])
        if node is None:
            self.delete(claim)  # deleted by hand, or its machine is gone
            return
        asked = claim["spec"]["resources"]["requests"]
        there = node["status"]["allocatable"]
        done = world.condition(claim, "Initialized")
        if not done and scheduling.is_ready(node) and all(name in there for name in asked):
            fresh = self.world.condition("Initialized", "True", "Initialized")
            self.world.memory.put("nodeclaims", world.with_conditions(claim, fresh))

    def delete(self, claim: api.Object) -> None:
        """Delete a claim, as liveness does or somebody by hand."""
        wanted = api_store.target(f"{claims.PATH}/{claim['metadata']['name']}")
        self.world.memory.delete(wanted, {"uid": claim["metadata"]["uid"]})

    def _terminate(self, claim: api.Object, machine: machines.Machine | None, fate: Mood) -> None:
        """Drain, end the machine, and let go of the claim."""
        name = claim["metadata"]["name"]
        if self.stuck:
            self._soon(name, 20.0, 40.0)
            return
        if machine is not None and self._drains(machine):
            self._soon(name, 2.0, 6.0)
            return
        if machine is not None and fate.leak and not claims.read(claim).node:
            self.leaked.add(machine.uid)
        elif machine is not None:
            self.fleet.end(machine)
        self.world.memory.remove("nodeclaims", name)

    def _drains(self, machine: machines.Machine) -> bool:
        if machine.draining_since is None:
            machine.draining_since = self.world.now
        since = self.world.now - machine.draining_since
        pods = [
            p for p in scheduling.pods_on(self.world, machine.node) if not scheduling.is_finished(p)
        ]
        for pod in pods:
            scheduling.delete_pod(self.world, pod)
        node = self.world.memory.get("nodes", machine.node)
        if node is None or not scheduling.is_ready(node):
            return False
        if not node["spec"].get("unschedulable"):
            self.world.memory.put(
                "nodes", {**node, "spec": {**node["spec"], "unschedulable": True}}
            )
        return since < _DRAIN_SECONDS or bool(pods and since < _LONGEST_DRAIN_SECONDS)
