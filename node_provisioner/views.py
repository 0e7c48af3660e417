"""What the planner reads of pods, nodes and claims: small frozen values."""

from dataclasses import dataclass
from enum import Enum

from kubeapi import api, objects
from node_provisioner import offerings, rules
from presets import annotations, provision_spec

_OFFER = (rules.INSTANCE_TYPE, rules.CAPACITY_TYPE, rules.ZONE)
_UNTOUCHED = "AwaitingReconciliation"
"""Reason that Karpenter starts every condition of a claim with."""
_FINISHED = frozenset({"Succeeded", "Failed"})
Counts = objects.Counts
Workload = objects.Workload


class Standing(Enum):
    """How far a pod has come."""

    HELD = "behind a scheduling gate of somebody else's"
    GATED = "behind our scheduling gate alone"
    UNJUDGED = "the scheduler has not said that no node fits"
    REFUSED = "the scheduler found no node for it, and no preemption is under way"
    BOUND = "on a node"


@dataclass(frozen=True)
class PodView:
    """A pod that is managed by us or holds devices."""

    key: str
    """namespace/name."""
    uid: str
    created: str
    """RFC 3339: sorts by age."""
    workload: Workload
    managed: bool
    spec: provision_spec.ProvisionSpec | None
    problem: str
    """Why `spec` is missing though the pod is managed; else empty."""
    node: str
    """Node that it is bound to; empty: none."""
    standing: Standing
    devices: Counts
    ending: bool
    """It was told to end, and holds what it holds until it has."""
    rules: rules.Rules
    """Which nodes it may run on."""

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return self.key.partition("/")[0]

    @property
    def name(self) -> str:
        """The pod's name."""
        return self.key.partition("/")[2]


@dataclass(frozen=True)
class NodeView:
    """A node with devices, or of a claim."""

    key: str
    """Name."""
    claim: str
    """Name of the claim that it was bought by; empty: it is not ours."""
    ready: bool
    """And none of its GPUs is known not to work."""
    cordoned: bool
    """By anybody but us."""
    devices: Counts
    """Allocatable."""
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[rules.Taint, ...] = ()
    draining: bool = False
    """Closed by us, on its way back."""

    @property
    def instance_type(self) -> str:
        """By its label; empty: it has none."""
        return dict(self.labels).get(rules.INSTANCE_TYPE, "")


@dataclass(frozen=True)
class ClaimView:
    """A NodeClaim of ours."""

    key: str
    """Name."""
    uid: str
    workload: str
    """namespace/Kind/name that it was bought for."""
    offer: offerings.Offer
    devices: Counts
    """What its node will have."""
    node: str
    launched: bool
    """There is a machine for it."""
    initialized: bool
    """Its node can be used."""
    terminating: bool
    trouble: str = ""
    """What its conditions say that it lacks."""


@dataclass(frozen=True)
class GangView:
    """A Job whose pods wait for one another."""

    workload: Workload
    size: int
    """Pods that are to run at the same time."""


def gang(raw: api.Object) -> GangView | None:
    """The view of a Job; None where its pods do not wait behind our gate."""
    meta, spec = raw["metadata"], raw["spec"]
    gates = spec.get("template", {}).get("spec", {}).get("schedulingGates") or ()
    if annotations.GATE not in {gate["name"] for gate in gates}:
        return None
    size = spec.get("parallelism", 1)
    if spec.get("completions") is not None:
        size = min(size, spec["completions"] - raw.get("status", {}).get("succeeded", 0))
    return GangView(Workload(meta["namespace"], "Job", meta["name"]), size)


def pod(raw: api.Object) -> PodView | None:
    """The view of a pod; None when it is finished or of no interest."""
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status", {})
    managed = meta.get("labels", {}).get(annotations.MANAGED) == "true"
    devices = objects.pod_devices(spec)
    waiting = not spec.get("nodeName")
    if status.get("phase") in _FINISHED or (waiting and "deletionTimestamp" in meta):
        return None
    if not managed and (waiting or not devices):
        return None
    wanted, problem = _wanted(meta.get("annotations", {})) if managed else (None, "")
    return PodView(
        key=f"{meta['namespace']}/{meta['name']}",
        uid=meta["uid"],
        created=meta.get("creationTimestamp", ""),
        workload=objects.workload(meta),
        managed=managed,
        spec=wanted,
        problem=problem,
        node=spec.get("nodeName", ""),
        standing=_standing(spec, status),
        devices=devices,
        ending="deletionTimestamp" in meta,
        rules=rules.of_pod(spec) if managed else rules.Rules(),
    )


def node(raw: api.Object) -> NodeView | None:
    """The view of a node; None when it has no device and no claim of ours."""
    labels = raw["metadata"].get("labels", {})
    status = raw.get("status", {})
    devices = objects.devices(status.get("allocatable", {}))
    claim_name = labels.get(annotations.CLAIM, "")
    if not devices and not claim_name:
        return None
    closed = bool(raw.get("spec", {}).get("unschedulable"))
    draining = closed and annotations.DRAINING in raw["metadata"].get("annotations", {})
    return NodeView(
        key=raw["metadata"]["name"],
        claim=claim_name,
        ready=objects.is_true(status, "Ready") and not objects.gpu_fault(status),
        cordoned=closed and not draining,
        devices=devices,
        labels=tuple(sorted(labels.items())),
        taints=rules.taints(raw.get("spec", {})),
        draining=draining,
    )


def claim(raw: api.Object) -> ClaimView | None:
    """The view of a claim; None when another program wrote it."""
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status", {})
    labels = meta.get("labels", {})
    if labels.get(annotations.CLAIM) != meta["name"]:
        return None
    namespace = labels.get(annotations.WORKLOAD_NAMESPACE, "")
    name = meta.get("annotations", {}).get(annotations.WORKLOAD_NAME, "")
    return ClaimView(
        key=meta["name"],
        uid=meta.get("uid", ""),
        workload=f"{namespace}/{name}",
        offer=offerings.Offer(*(_required(spec, key) for key in _OFFER)),
        devices=objects.devices(spec.get("resources", {}).get("requests", {})),
        node=status.get("nodeName", ""),
        launched=objects.is_true(status, "Launched") or objects.is_true(status, "Initialized"),
        initialized=objects.is_true(status, "Initialized"),
        terminating="deletionTimestamp" in meta,
        trouble=_trouble(status),
    )


def _wanted(found: dict[str, str]) -> tuple[provision_spec.ProvisionSpec | None, str]:
    text = found.get(annotations.PROVISION_SPEC)
    if text is None:
        return None, f"annotation {annotations.PROVISION_SPEC} is missing"
    try:
        return provision_spec.ProvisionSpec.from_json(text), ""
    except provision_spec.MalformedProvisionSpec as error:
        return None, f"annotation {annotations.PROVISION_SPEC}: {error}"


def _standing(spec: api.Object, status: api.Object) -> Standing:
    if spec.get("nodeName"):
        return Standing.BOUND
    if gates := {gate["name"] for gate in spec.get("schedulingGates") or ()}:
        return Standing.GATED if gates == {annotations.GATE} else Standing.HELD
    scheduled = objects.condition(status, "PodScheduled")
    refused = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    preempting = "nominatedNodeName" in status
    return Standing.REFUSED if refused and not preempting else Standing.UNJUDGED


def _trouble(status: api.Object) -> str:
    """The first step of a claim that is not done, and why, in the provider's words."""
    for step in ("Launched", "Registered", "Initialized"):
        found = objects.condition(status, step)
        if found.get("reason") == _UNTOUCHED:
            return ""
        if found and found.get("status") != "True":
            words = (found.get("reason", ""), found.get("message", ""))
            return ": ".join(word for word in words if word and word != step)
    return ""


def _required(spec: api.Object, key: str) -> str:
    found = (r for r in spec.get("requirements", ()) if r["key"] == key and r.get("values"))
    return next((str(r["values"][0]) for r in found), "")
