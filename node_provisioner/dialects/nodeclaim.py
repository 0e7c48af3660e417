"""The NodeClaim that every dialect starts from."""

from dataclasses import dataclass

from kubeapi import api
from node_provisioner import plan
from presets import annotations


@dataclass(frozen=True)
class NodeClass:
    """Which of the provider's classes of nodes to use: an object in the cluster."""

    group: str
    kind: str
    name: str = "default"


def manifest(claim: plan.NewClaim, node_class: NodeClass) -> api.Object:
    """The NodeClaim.

    The GPUs in the requests make Initialized wait for the device plugin; `expireAfter` is explicit
    because the default takes the node away after 720 h, the capacity type because Karpenter takes
    the cheapest, and the grace period keeps a PodDisruptionBudget from holding the claim for ever.
    It has no label of a NodePool: Karpenter logs an error for ever about one that is not there, and
    disrupts the nodes of one that is.
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
                "group": node_class.group,
                "kind": node_class.kind,
                "name": node_class.name,
            },
            "requirements": [_in(key, value) for key, value in claim.offer.labels.items()],
            "resources": {"requests": {claim.resource: str(claim.gpus)}},
            "taints": [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}],
            "expireAfter": "Never",
            "terminationGracePeriod": "5m",
        },
    }


def _in(key: str, value: str) -> api.Object:
    return {"key": key, "operator": "In", "values": [value]}
