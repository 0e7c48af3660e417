"""What can be bought for a pod, in order of preference."""

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from presets import provision_spec

_GPUS = {
    "Standard_NC4as_T4_v3": 1,
    "Standard_NC8as_T4_v3": 1,
    "Standard_NC16as_T4_v3": 1,
    "Standard_NC64as_T4_v3": 4,
    "Standard_NC6s_v3": 1,
    "Standard_NC12s_v3": 2,
    "Standard_NC24s_v3": 4,
    "Standard_NC24ads_A100_v4": 1,
    "Standard_NC48ads_A100_v4": 2,
    "Standard_NC96ads_A100_v4": 4,
    "Standard_NV36ads_A10_v5": 1,
    "Standard_NV72ads_A10_v5": 2,
}
"""GPUs by instance type. Source: Azure's size tables, as KAITO's SKU handler lists them."""


@dataclass(frozen=True, order=True)
class Offer:
    """One thing that a provider may have or not."""

    instance_type: str
    capacity_type: str

    @override
    def __str__(self) -> str:
        return f"{self.instance_type}, {self.capacity_type}"


def gpus(instance_type: str, at_least: int) -> int:
    """GPUs of one node; a type that is not in the table is trusted to hold one pod, no more."""
    return _GPUS.get(instance_type, at_least)


def offers(spec: provision_spec.ProvisionSpec) -> Iterator[Offer]:
    """Offers that hold a pod of `spec`: by instance type first, then by capacity type."""
    for instance_type in spec.instance_types:
        if gpus(instance_type, spec.gpus) >= spec.gpus:
            for capacity_type in spec.capacity_types:
                yield Offer(instance_type, capacity_type)
