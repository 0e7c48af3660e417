"""NodeClaims for the local machine provider."""

from kubeapi import api
from node_provisioner import plan, views
from presets import annotations


def manifest(claim: plan.NewClaim) -> api.Object:
    """The NodeClaim.

    The GPUs in the requests make Initialized wait for the device plugin; `expireAfter` is explicit
    because the default takes the node away after 720 h, and the grace period keeps a
    PodDisruptionBudget from holding the claim for ever.
    """
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodeClaim",
        "metadata": {
            "name": claim.name,
            "labels": {
                annotations.CLAIM: claim.name,
                annotations.WORKLOAD_NAMESPACE: claim.workload.namespace,
            },
            "annotations": {
                annotations.WORKLOAD_NAME: claim.workload.label,
                "karpenter.sh/do-not-disrupt": "true",
            },
        },
        "spec": {
            "nodeClassRef": {
                "group": "plainsail.dev",
                "kind": "LocalMachineClass",
                "name": "default",
            },
            "requirements": [
                _in(views.INSTANCE_TYPE, claim.offer.instance_type),
                _in(views.CAPACITY_TYPE, claim.offer.capacity_type),
                _in("kubernetes.io/os", "linux"),
            ],
            "resources": {"requests": {claim.resource: str(claim.gpus)}},
            "taints": [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}],
            "expireAfter": "Never",
            "terminationGracePeriod": "5m",
        },
    }


def _in(key: str, value: str) -> api.Object:
    return {"key": key, "operator": "In", "values": [value]}
