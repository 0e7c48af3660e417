"""Pods, nodes and claims for tests: raw, as the API server has them, and as views."""

from dataclasses import replace
from typing import Any

from kubeapi import api
from node_provisioner import offerings, rules, views
from presets import provision_spec
from tests import builders

SPEC = provision_spec.ProvisionSpec(("Standard_NC6s_v3",), 1)
OFFER = offerings.Offer("Standard_NC6s_v3", "on-demand")
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}


def pod(
    name: str, *, spec: provision_spec.ProvisionSpec | None = SPEC, **changes: Any
) -> api.Object:
    """A managed pod of Deployment `chat` that the scheduler could not place."""
    gpus = str(spec.gpus) if spec else "1"
    raw: api.Object = {
        "metadata": builders.pod_metadata(name, spec.to_json() if spec else ""),
        "spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": gpus}}}]}
        | placed(spec.instance_types if spec else ()),
        "status": {"phase": "Pending", "conditions": [UNSCHEDULABLE]},
    }
    for part in ("metadata", "spec_changes", "status"):
        raw[part.removesuffix("_changes")] |= changes.pop(part, {})
    assert not changes
    return raw


def placed(instance_types: tuple[str, ...]) -> api.Object:
    """Affinity and tolerations as the webhook writes them."""
    expression = {"key": rules.INSTANCE_TYPE, "operator": "In", "values": list(instance_types)}
    terms = [{"matchExpressions": [expression]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    toleration = {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}
    tolerations = [toleration, {"key": "nvidia.com/gpu", "operator": "Exists"}]
    return {"tolerations": tolerations} | (
        {"affinity": {"nodeAffinity": required}} if instance_types else {}
    )


def bound(name: str, node_name: str, **changes: Any) -> api.Object:
    """The same pod, running on a node."""
    raw = pod(name, **changes)
    raw["spec"]["nodeName"] = node_name
    raw["status"] = {"phase": "Running"}
    return raw


def strangers(name: str, node_name: str) -> api.Object:
    """A pod that is not ours and asks for nothing, running on a node."""
    raw = bound(name, node_name, metadata={"labels": {}})
    return raw | {"spec": {"nodeName": node_name, "containers": [{}]}}


def node(name: str, *, gpus: int = 1, claim: str = "", ready: bool = True) -> api.Object:
    """A node of type Standard_NC6s_v3."""
    labels = {rules.INSTANCE_TYPE: "Standard_NC6s_v3"} | (
        {"kaito.sh/claim": claim} if claim else {}
    )
    allocatable = {"cpu": "6", "memory": "100Gi", "pods": "110"}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {},
        "status": {
            "allocatable": allocatable | ({"nvidia.com/gpu": str(gpus)} if gpus else {}),
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def initialized(claim: api.Object) -> None:
    """Mark a claim's node as usable."""
    steps = ("Launched", "Registered", "Initialized")
    claim["status"] = {"conditions": [{"type": step, "status": "True"} for step in steps]}


def awaiting_reconciliation(claim: api.Object) -> None:
    """Karpenter has the claim and has not said anything about it."""
    claim["status"] = {
        "conditions": [
            {
                "type": "Launched",
                "status": "Unknown",
                "reason": "AwaitingReconciliation",
                "message": "object is awaiting reconciliation",
            }
        ]
    }


def pod_view(name: str, **changes: Any) -> views.PodView:
    """The view of `pod`."""
    view = views.pod(pod(name, **changes))
    assert view is not None
    return view


def claim_view(name: str = "ws1", **changes: Any) -> views.ClaimView:
    """A claim of Deployment `chat` that has only just been created."""
    plain = views.ClaimView(
        key=name,
        uid=f"uid-{name}",
        workload="default/Deployment/chat",
        offer=OFFER,
        devices=(("nvidia.com/gpu", 1),),
        node="",
        launched=False,
        initialized=False,
        terminating=False,
    )
    return replace(plain, **changes)


def node_view(name: str = "n1", **changes: Any) -> views.NodeView:
    """A Ready node with one GPU that is not ours."""
    plain = views.NodeView(
        key=name,
        claim="",
        ready=True,
        cordoned=False,
        devices=(("nvidia.com/gpu", 1),),
        labels=((rules.INSTANCE_TYPE, "Standard_NC6s_v3"),),
    )
    return replace(plain, **changes)
