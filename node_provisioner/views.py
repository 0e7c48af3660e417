"""What the planner reads of pods, nodes and claims: small frozen values."""

from dataclasses import dataclass

from kubeapi import api, objects
from presets import annotations, provision_spec

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
_FINISHED = frozenset({"Succeeded", "Failed"})
Counts = objects.Counts
Workload = objects.Workload


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
    unschedulable: bool
    """The scheduler found no node for it, and no preemption is under way."""
    devices: Counts

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
    instance_type: str
    ready: bool
    """And none of its GPUs is known not to work."""
    cordoned: bool
    devices: Counts
    """Allocatable."""


@dataclass(frozen=True)
class ClaimView:
    """A NodeClaim of ours."""

    key: str
    """Name."""
    uid: str
    workload: str
    """namespace/Kind/name that it was bought for."""
    instance_type: str
    capacity_type: str
    devices: Counts
    """What its node will have."""
    node: str
    initialized: bool
    terminating: bool


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
        unschedulable=waiting and not status.get("nominatedNodeName") and _unschedulable(status),
        devices=devices,
    )


def node(raw: api.Object) -> NodeView | None:
    """The view of a node; None when it has no device and no claim of ours."""
    labels = raw["metadata"].get("labels", {})
    status = raw.get("status", {})
    devices = objects.devices(status.get("allocatable", {}))
    claim_name = labels.get(annotations.CLAIM, "")
    if not devices and not claim_name:
        return None
    return NodeView(
        key=raw["metadata"]["name"],
        claim=claim_name,
        instance_type=labels.get(INSTANCE_TYPE, ""),
        ready=objects.is_true(status, "Ready") and not objects.gpu_fault(status),
        cordoned=bool(raw.get("spec", {}).get("unschedulable")),
        devices=devices,
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
        instance_type=_required(spec, INSTANCE_TYPE),
        capacity_type=_required(spec, CAPACITY_TYPE),
        devices=objects.devices(spec.get("resources", {}).get("requests", {})),
        node=status.get("nodeName", ""),
        initialized=objects.is_true(status, "Initialized"),
        terminating="deletionTimestamp" in meta,
    )


def _wanted(found: dict[str, str]) -> tuple[provision_spec.ProvisionSpec | None, str]:
    text = found.get(annotations.PROVISION_SPEC)
    if text is None:
        return None, f"annotation {annotations.PROVISION_SPEC} is missing"
    try:
        return provision_spec.ProvisionSpec.from_json(text), ""
    except provision_spec.MalformedProvisionSpec as error:
        return None, f"annotation {annotations.PROVISION_SPEC}: {error}"


def _unschedulable(status: api.Object) -> bool:
    scheduled = objects.condition(status, "PodScheduled")
    return scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"


def _required(spec: api.Object, key: str) -> str:
    found = (r for r in spec.get("requirements", ()) if r["key"] == key and r.get("values"))
    return next((str(r["values"][0]) for r in found), "")
