"""NodeClaims for gpu-provisioner, KAITO's provider of AKS agent pools.

Source: gpu-provisioner v0.4.3, pkg/providers/instance/instance.go. One claim is one agent pool of
the claim's name; capacity type and zone are not read, so that admission refuses to be asked.
"""

from kubeapi import api
from node_provisioner import plan
from node_provisioner.dialects import nodeclaim
from presets import gpus

_CLASS = nodeclaim.NodeClass("kaito.sh", "KaitoNodeClass")
_SYSTEM_GIB = 60
"""System, container images and logs of a node's disk."""
_MODELS = 2
"""Models as large as the GPUs' memory that the disk has room for: one, and the next one's."""
_UNKNOWN_GIB = 512
"""Disk of a machine whose GPUs are not known."""
_GIB = 2**30


def manifest(claim: plan.NewClaim) -> api.Object:
    """The NodeClaim.

    Without the label `kaito.sh/workspace` and that of a NodePool the provider's garbage collection
    does not see the agent pool, and it leaks. The label holds the claim's name, for no Workspace is
    meant. Storage is the disk of the machine, and required.
    """
    made = nodeclaim.manifest(claim, _CLASS)
    made["metadata"]["labels"] |= {
        "kaito.sh/workspace": claim.name,
        "karpenter.sh/nodepool": "kaito",
    }
    made["spec"]["resources"]["requests"]["storage"] = f"{_disk_gib(claim)}Gi"
    return made


def _disk_gib(claim: plan.NewClaim) -> int:
    machine = gpus.INSTANCE_TYPES.get(claim.offer.instance_type)
    if machine is None:
        return _UNKNOWN_GIB
    return _SYSTEM_GIB + -(-_MODELS * machine.memory_bytes // _GIB)
