"""Who fulfils NodeClaims, and what each of them does not do: what a user may not ask for there."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """A program that buys the nodes; its dialect is how a NodeClaim for it is written."""

    name: str
    spot: bool = True
    """Buys machines that may be taken back; else it reads no capacity type."""
    zones: bool = True
    """Buys in the zone that it is told; else it reads none."""


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("gpu-provisioner", spot=False, zones=False),
        Provider("karpenter-aws"),
        Provider("karpenter-azure"),
        Provider("kwok"),
        Provider("local", zones=False),
    )
}
"""By dialect, as `--dialect` of webhook and planner takes it.

Source: gpu-provisioner v0.4.3, instance.go: it reads the first instance type and the storage of a
claim, and nothing else. Several instance types are no harm: the planner claims one at a time.
"""
