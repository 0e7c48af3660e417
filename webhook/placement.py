"""Where the pods may run: GPUs, instance types, tolerations, node affinity, the planner's spec."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from presets import forms, gpus, preset, provision_spec, scheduling, sizing
from presets.request import Request
from webhook import machines, workloads

INSTANCE_TYPE_LABEL = "node.kubernetes.io/instance-type"
"""Node label that every cloud's node carries; well-known label of Kubernetes."""

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"

TAINTS = (("sku", "gpu", "NoSchedule"), (gpus.GPU_RESOURCE, "", "NoSchedule"))
"""Key, value and effect of what GPU nodes are tainted with: KAITO's nodes, and NVIDIA's custom."""


@dataclass(frozen=True)
class Placement:
    """What one pod asks of its node."""

    gpus: int
    """0: it computes on the processors of whatever node there is."""
    instance_types: tuple[str, ...]
    """In order of preference; empty: any node will do."""
    capacity_types: tuple[str, ...]
    dtype: str
    """Type to compute in, so that every one of the instance types can."""
    context_tokens: int
    """Longest prompt plus answer that every one of the instance types holds."""
    left_out: tuple[str, ...] = ()
    """Sentences on the instance types that the user names and that will not do."""
    old: tuple[str, ...] = ()
    """Those of the instance types with GPUs too old for the model server's PyTorch."""
    scheduler: str = ""
    """Our kube-scheduler; empty: another one places the pods, and knows no marker."""
    split: sizing.Split = machines.ALONE
    """Among how many machines the model is divided, and how; a pod on each."""
    memory_bytes: int = 0
    """Of a node without GPU; 0: none is asked for."""

    @property
    def resources(self) -> dict[str, dict[str, str]]:
        """What the model's container asks for."""
        if not self.gpus:
            return {"requests": _of_node(self.memory_bytes)} if self.memory_bytes else {}
        count = {gpus.GPU_RESOURCE: str(self.gpus)}
        if self.scheduler:
            count[scheduling.MARKER] = "1"
        return {"limits": dict(count), "requests": dict(count)}

    @property
    def spec(self) -> provision_spec.ProvisionSpec:
        """The same for the planner."""
        return provision_spec.ProvisionSpec(
            instance_types=self.instance_types,
            gpus=self.gpus,
            gpu_resource=gpus.GPU_RESOURCE,
            capacity_types=self.capacity_types,
            nodes=self.split.nodes,
        )


def place(
    model: preset.Preset,
    found: machines.Machines,
    capacity_types: tuple[str, ...],
    scheduler: str,
) -> Placement:
    """The placement of the model's pods on those machines, bought in one of those ways."""
    return Placement(
        gpus=found.gpus,
        instance_types=found.names,
        capacity_types=capacity_types,
        dtype=found.dtype or _dtype(model, found.names),
        context_tokens=found.context_tokens,
        left_out=found.left_out,
        old=found.old,
        scheduler=scheduler,
        split=found.split,
        memory_bytes=found.memory_bytes,
    )


def _dtype(model: preset.Preset, names: tuple[str, ...]) -> str:
    if model.dtype == "bfloat16" and gpus.without_bfloat16(names):
        return "float16"
    return model.dtype


def _of_node(memory_bytes: int) -> dict[str, str]:
    """Of processors one at least: the server takes all that are idle."""
    return {"cpu": "1", "memory": f"{memory_bytes // 2**20}Mi"}


def scheduler(pod: Mapping[str, Any], request: Request, ours: str) -> str:
    """Our scheduler, where it is to place the pods; empty where the user names another one.

    Pods that nothing is bought for are none of ours to place either.
    """
    own = pod.get("schedulerName") or scheduling.DEFAULT_SCHEDULER
    is_free = own in (ours, scheduling.DEFAULT_SCHEDULER)
    return ours if is_free and request.provision != forms.OFF else ""


def mode(request: Request) -> sizing.Mode:
    """What is done with the model on the machine."""
    if request.tuning is not None:
        return sizing.Tune(request.tuning.method)
    if request.adapters:
        return sizing.Serve(adapters=len(request.adapters))
    return machines.SERVE


def gpus_asked(container: Mapping[str, Any]) -> int | None:
    """GPUs that a container asks for itself; None where it does not.

    Raises:
        ValueError: the quantity is not a positive whole number.
    """
    for kind in ("limits", "requests"):
        value = workloads.part(container, "resources", kind).get(gpus.GPU_RESOURCE)
        if value is not None:
            return _count(value)
    return None


def _count(value: object) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ValueError(text)
    return int(text)


def tolerations() -> list[dict[str, Any]]:
    """Tolerations of the taints of GPU nodes."""
    return [
        {"key": key, "operator": "Equal", "value": value, "effect": effect}
        if value
        else {"key": key, "operator": "Exists", "effect": effect}
        for key, value, effect in TAINTS
    ]


def affinity(names: tuple[str, ...]) -> dict[str, Any]:
    """Node affinity that lets in the instance types and nothing else."""
    labels = [gpus.INSTANCE_TYPES[name].node_label or name for name in names]
    expression = {"key": INSTANCE_TYPE_LABEL, "operator": "In", "values": labels}
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}}


def untolerated(pod: Mapping[str, Any]) -> list[str]:
    """Taints of GPU nodes that the user's own tolerations do not cover, as `key=value:effect`."""
    own = pod.get("tolerations") or []
    return [
        f"{key}{'=' + value if value else ''}:{effect}"
        for key, value, effect in TAINTS
        if own and not any(_tolerates(one, key, value, effect) for one in own)
    ]


def _tolerates(toleration: Mapping[str, Any], key: str, value: str, effect: str) -> bool:
    """Source: Toleration.ToleratesTaint (k8s.io/component-helpers/scheduling/corev1)."""
    exists = toleration.get("operator") == "Exists"
    return (
        toleration.get("effect") in (None, "", effect)
        and (toleration.get("key") == key or (exists and not toleration.get("key")))
        and (exists or not value or toleration.get("value") == value)
    )
