"""NodeClaims for Karpenter's kwok provider, whose nodes are only objects: for tests."""

from kubeapi import api
from node_provisioner import plan
from node_provisioner.dialects import nodeclaim

_CLASS = nodeclaim.NodeClass("karpenter.kwok.sh", "KWOKNodeClass")


def manifest(claim: plan.NewClaim) -> api.Object:
    """The NodeClaim; KWOKNodeClass `default` must be in the cluster."""
    return nodeclaim.manifest(claim, _CLASS)
