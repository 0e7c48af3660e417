"""What Karpenter's kwok provider sells: a few instance types of our own tables, in its format."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from deploy.local import cached
from presets import annotations, gpus, prices

SMALL, MEDIUM, LARGE = (
    "Standard_NC4as_T4_v3",
    "Standard_NV36ads_A10_v5",
    "Standard_NC24ads_A100_v4",
)
"""GPU machines, by price."""
SLOW = "Standard_NC8as_T4_v3"
"""A GPU machine that joins the cluster before its device plugin reports the GPU."""
WITHOUT_GPU = "general-4"
"""What a NodePool for everything else buys."""

_SPOT_SHARE = 0.4
"""Of the on-demand price: the provider wants a price, and nothing here depends on it."""
_GIB = 2**30


class Market:
    """The provider's file of instance types: what there is, and what there is none of for now."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.sell()

    def sell(self, *, but: Collection[tuple[str, str]] = ()) -> None:
        """Have every machine but those of these pairs of instance type and capacity type."""
        listed = [_gpu_machine(name, but) for name in (SMALL, MEDIUM, LARGE, SLOW)]
        plain = {"cpu": "4", "memory": "16Gi"}
        listed.append(_machine(WITHOUT_GPU, plain, 0.2, but))
        cached.write(self.file, json.dumps(listed).encode())


def _gpu_machine(name: str, but: Collection[tuple[str, str]]) -> dict[str, Any]:
    kind = gpus.INSTANCE_TYPES[name]
    price = prices.snapshot().find(kind.name, annotations.ON_DEMAND)
    assert price is not None
    assert kind.host_memory_bytes is not None
    resources = {
        "cpu": str(kind.cpus),
        "memory": f"{kind.host_memory_bytes // _GIB}Gi",
        kind.resource: "0" if name == SLOW else str(kind.gpus),
    }
    return _machine(kind.name, resources, price.microdollars_per_hour / 1e6, but)


def _machine(
    name: str, resources: dict[str, str], price: float, but: Collection[tuple[str, str]]
) -> dict[str, Any]:
    return {
        "name": name,
        "architecture": "amd64",
        "operatingSystems": ["linux"],
        "resources": {**resources, "ephemeral-storage": "100Gi"},
        "offerings": [
            {
                "Price": cost,
                "Available": (name, capacity) not in but,
                "Requirements": [
                    _in("karpenter.sh/capacity-type", capacity),
                    _in("topology.kubernetes.io/zone", "zone-a"),
                ],
            }
            for capacity, cost in (
                (annotations.ON_DEMAND, price),
                (annotations.SPOT, _SPOT_SHARE * price),
            )
        ],
    }


def _in(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": [value]}
