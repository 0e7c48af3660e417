"""The instance types that the local machine provider sells: names of a cloud, sizes of that cloud.

The GPUs are simulated, and each machine sees this host's processors and memory; what is true of a
type here is how many GPUs it has and what model they are called.
Source: Azure's size tables, the same names that KAITO v0.3.0 validates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class InstanceType:
    """One size of machine."""

    name: str
    gpus: int
    gpu_product: str


TYPES: Mapping[str, InstanceType] = {
    kind.name: kind
    for kind in (
        InstanceType("Standard_NC4as_T4_v3", 1, "Tesla-T4"),
        InstanceType("Standard_NC8as_T4_v3", 1, "Tesla-T4"),
        InstanceType("Standard_NC6s_v3", 1, "Tesla-V100-PCIE-16GB"),
        InstanceType("Standard_NC12s_v3", 2, "Tesla-V100-PCIE-16GB"),
        InstanceType("Standard_NC24ads_A100_v4", 1, "NVIDIA-A100-80GB-PCIe"),
        InstanceType("Standard_NC48ads_A100_v4", 2, "NVIDIA-A100-80GB-PCIe"),
    )
}


def first_known(names: Iterable[str]) -> InstanceType | None:
    """The first of `names` that is sold here."""
    return next((TYPES[name] for name in names if name in TYPES), None)
