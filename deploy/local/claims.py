"""What a NodeClaim asks for and what its status should say: pure.

The life cycle is Karpenter's (karpenter.sh/v1): Launched when there is a machine, Registered when
there is its Node, Initialized when the Node is Ready and has every resource that was asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.local.instance_types import InstanceType

Object = dict[str, Any]

GROUP = "karpenter.sh/v1"
COLLECTION = f"/apis/{GROUP}/nodeclaims"
NODE_CLASS_GROUP = "plainsail.dev"
"""API group of the node class that makes a claim ours to fulfil."""
FINALIZER = "plainsail.dev/machine"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
ZONE = "topology.kubernetes.io/zone"
REGISTERED, INITIALIZED = "karpenter.sh/registered", "karpenter.sh/initialized"


def is_ours(claim: Object) -> bool:
    """Whether the local provider fulfils `claim`."""
    reference: Mapping[str, str] = claim["spec"].get("nodeClassRef", {})
    return reference.get("group") == NODE_CLASS_GROUP


def required(claim: Object, key: str) -> list[str]:
    """Values that `claim` accepts for `key`, in its order; none when it does not say."""
    for requirement in claim["spec"].get("requirements", []):
        if requirement["key"] == key and requirement["operator"] == "In":
            values: list[str] = requirement.get("values", [])
            return values
    return []


def is_spot(claim: Object) -> bool:
    """Whether `claim` is for a machine that may be taken back, and for no other."""
    return required(claim, CAPACITY_TYPE) == ["spot"]


def bought_labels(claim: Object, kind: InstanceType) -> dict[str, str]:
    """What was bought, on the claim itself: `kubectl get nodeclaims` shows it in its columns."""
    capacity = required(claim, CAPACITY_TYPE) or ["on-demand"]
    return {INSTANCE_TYPE: kind.name, CAPACITY_TYPE: capacity[0], ZONE: "local-1"}


def node_labels(claim: Object, kind: InstanceType) -> dict[str, str]:
    """Labels that the machine of `claim` joins with: the claim's own, and what the hardware is."""
    return {
        **claim["metadata"].get("labels", {}),
        **bought_labels(claim, kind),
        "topology.kubernetes.io/region": "local",
        "nvidia.com/gpu.product": kind.gpu_product,
        "nvidia.com/gpu.count": str(kind.gpus),
        # For whoever looks at the node: this GPU computes nothing.
        "plainsail.dev/simulated-gpu": "true",
    }


def status(claim: Object, provider_id: str, node: Object | None, now: str) -> Object:
    """The status of `claim` whose machine runs and whose Node is `node`, if it has joined."""
    registered = node is not None
    missing = _missing(claim, node)
    conditions = [
        _condition("Launched", "", ""),
        _condition("Registered", "" if registered else "the node has not joined", "NodeNotFound"),
        _condition("Initialized", missing, "NotInitialized"),
        _condition("Ready", missing, "ReconcilingDependents"),
    ]
    wanted: Object = {
        "providerID": provider_id,
        "conditions": _keep_times(conditions, claim.get("status", {}).get("conditions", []), now),
    }
    if node is not None:
        wanted["nodeName"] = node["metadata"]["name"]
        for part in ("capacity", "allocatable"):
            wanted[part] = node.get("status", {}).get(part, {})
    return wanted


def is_initialized(status: Object) -> bool:
    """Whether a status says that pods can use the node."""
    return any(
        c["type"] == "Initialized" and c["status"] == "True" for c in status.get("conditions", [])
    )


def _missing(claim: Object, node: Object | None) -> str:
    """What still lacks before the node can be used, in words; empty when nothing does."""
    if node is None:
        return "the node has not joined yet"
    conditions = node.get("status", {}).get("conditions", [])
    if not any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
        return "the node is not Ready"
    allocatable = node["status"].get("allocatable", {})
    requests: Mapping[str, str] = claim["spec"].get("resources", {}).get("requests", {})
    absent = [n for n, q in requests.items() if q != "0" and allocatable.get(n, "0") == "0"]
    return f"the node does not report {', '.join(sorted(absent))} yet" if absent else ""


def _condition(kind: str, missing: str, reason: str) -> Object:
    """A condition that holds when nothing is missing."""
    if not missing:
        return {"type": kind, "status": "True", "reason": kind, "message": ""}
    value = "Unknown" if kind == "Ready" else "False"
    return {"type": kind, "status": value, "reason": reason, "message": missing}


def _keep_times(wanted: Sequence[Object], present: Sequence[Object], now: str) -> list[Object]:
    """`wanted`, each with the time at which its status last changed."""
    before = {c["type"]: c for c in present}
    return [
        {
            **condition,
            "lastTransitionTime": (
                before[condition["type"]]["lastTransitionTime"]
                if before.get(condition["type"], {}).get("status") == condition["status"]
                else now
            ),
        }
        for condition in wanted
    ]
