"""What node a pod needs: the contract from the webhook to the planner, as one pod annotation."""

import json
import re
from dataclasses import dataclass
from typing import TypeGuard

_NAME = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_./]{0,316}")
"""A label value or a resource name, whose longest form is prefix (253), slash and name (63).

What else a pod's annotation may hold, such as half of a surrogate pair, no request can carry on.
"""
_SHOWN = 80
"""Characters of a wrong value that a message repeats: an annotation may hold 256 KiB."""


class MalformedProvisionSpec(ValueError):
    """The annotation is not a provision spec; the message says what is wrong with it."""


@dataclass(frozen=True)
class ProvisionSpec:
    """The node to buy for a pod that no node can take."""

    instance_types: tuple[str, ...]
    """In order of preference; the first that can be had wins."""
    gpus: int
    """GPUs that the pod asks for."""
    gpu_resource: str = "nvidia.com/gpu"
    """Extended resource name of the GPU vendor."""
    capacity_types: tuple[str, ...] = ("on-demand",)
    """`on-demand`, `spot`, or both in order of preference."""
    nodes: int = 1
    """Nodes that run one model together: a pod on each, all of them needed."""

    def to_json(self) -> str:
        """Compact JSON with sorted keys: equal specs give equal text."""
        raw = {
            "capacityTypes": list(self.capacity_types),
            "gpuResource": self.gpu_resource,
            "gpus": self.gpus,
            "instanceTypes": list(self.instance_types),
        }
        if self.nodes > 1:
            raw["nodes"] = self.nodes
        return json.dumps(raw, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "ProvisionSpec":
        """The spec that `to_json` wrote; unknown keys are kept out, missing ones refused.

        Raises:
            MalformedProvisionSpec: `text` is not JSON, or a key is missing or holds what it cannot.
        """
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:  # the second: brackets, a thousand deep
            raise MalformedProvisionSpec(f"not JSON: {error}") from error
        if not isinstance(raw, dict):
            raise MalformedProvisionSpec(f"not an object: {_shown(text)}")
        gpus = raw.get("gpus")
        if type(gpus) is not int or gpus < 0:
            raise MalformedProvisionSpec(f"gpus is not a count: {_shown(gpus)}")
        resource = raw.get("gpuResource")
        if not _is_name(resource):
            raise MalformedProvisionSpec(f"gpuResource is not a name: {_shown(resource)}")
        nodes = raw.get("nodes", 1)
        if type(nodes) is not int or nodes < 1:
            raise MalformedProvisionSpec(f"nodes is not a count: {_shown(nodes)}")
        return cls(
            instance_types=_names(raw, "instanceTypes"),
            gpus=gpus,
            gpu_resource=resource,
            capacity_types=_names(raw, "capacityTypes"),
            nodes=nodes,
        )


def _names(raw: dict[str, object], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if not isinstance(value, list) or not value or not all(_is_name(v) for v in value):
        raise MalformedProvisionSpec(f"{key} is not a list of names: {_shown(value)}")
    return tuple(value)


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
