"""NodeClaims for the local machine provider."""

from kubeapi import api
from node_provisioner import plan
from node_provisioner.dialects import nodeclaim

_CLASS = nodeclaim.NodeClass("plainsail.dev", "LocalMachineClass")


def manifest(claim: plan.NewClaim) -> api.Object:
    """The NodeClaim; the provider has one class, which is no object."""
    return nodeclaim.manifest(claim, _CLASS)
