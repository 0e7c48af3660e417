"""GPUs of the instance types that Plainsail knows."""

from collections.abc import Iterable
from dataclasses import dataclass

GPU_RESOURCE = "nvidia.com/gpu"
"""Extended resource of NVIDIA's device plugin."""

BFLOAT16_CAPABILITY = (8, 0)
"""First compute capability with native bfloat16 (Ampere).

Source: CUDA C++ programming guide, arithmetic instructions by compute capability.
"""


@dataclass(frozen=True)
class InstanceType:
    """A machine by the name that its cloud gives it."""

    name: str
    gpu: str
    gpus: int
    compute_capability: tuple[int, int]

    @property
    def has_bfloat16(self) -> bool:
        """Its GPUs compute in bfloat16 natively."""
        return self.compute_capability >= BFLOAT16_CAPABILITY


# Source: Azure's size pages of the NCasT4_v3, NCv3, NC_A100_v4 and NCads_H100_v5 series.
INSTANCE_TYPES: dict[str, InstanceType] = {
    known.name: known
    for known in (
        InstanceType("Standard_NC4as_T4_v3", "NVIDIA T4", 1, (7, 5)),
        InstanceType("Standard_NC64as_T4_v3", "NVIDIA T4", 4, (7, 5)),
        InstanceType("Standard_NC6s_v3", "NVIDIA V100", 1, (7, 0)),
        InstanceType("Standard_NC12s_v3", "NVIDIA V100", 2, (7, 0)),
        InstanceType("Standard_NC24s_v3", "NVIDIA V100", 4, (7, 0)),
        InstanceType("Standard_NC24ads_A100_v4", "NVIDIA A100", 1, (8, 0)),
        InstanceType("Standard_NC48ads_A100_v4", "NVIDIA A100", 2, (8, 0)),
        InstanceType("Standard_NC96ads_A100_v4", "NVIDIA A100", 4, (8, 0)),
        InstanceType("Standard_NC40ads_H100_v5", "NVIDIA H100", 1, (9, 0)),
        InstanceType("Standard_NC80adis_H100_v5", "NVIDIA H100", 2, (9, 0)),
    )
}
"""By name, which is also the value of the node label `node.kubernetes.io/instance-type`."""


def without_bfloat16(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the known instance types whose GPUs have no bfloat16, in the order given."""
    return tuple(name for name in names if not INSTANCE_TYPES[name].has_bfloat16)
