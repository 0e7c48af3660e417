"""NodeClaims for Karpenter in Azure and AWS: they differ in the class of nodes alone.

Requests name no storage: no instance type offers it, so that Karpenter would find none that fits.
"""

from kubeapi import api
from node_provisioner import plan
from node_provisioner.dialects import nodeclaim

_AZURE = nodeclaim.NodeClass("karpenter.azure.com", "AKSNodeClass")
_AWS = nodeclaim.NodeClass("karpenter.k8s.aws", "EC2NodeClass")


def azure(claim: plan.NewClaim) -> api.Object:
    """The NodeClaim; AKSNodeClass `default` must be in the cluster, and Ready."""
    return nodeclaim.manifest(claim, _AZURE)


def aws(claim: plan.NewClaim) -> api.Object:
    """The NodeClaim; EC2NodeClass `default` must be in the cluster, and Ready."""
    return nodeclaim.manifest(claim, _AWS)
