"""What our programs read of Kubernetes objects alike: owners, conditions, devices, faults."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeapi import api

_NO_DEVICES = ("kubernetes.io", "k8s.io", "kaito.sh")
"""Resources of these domains, and those without any, are no devices; `kaito.sh` has our marker."""

_FAULTS = {
    "AcceleratedHardwareReady": "False",
    "GPUMissing": "True",
    "NVLinkStatusInactive": "True",
    "UnhealthyNvidiaDevicePlugin": "True",
    "XIDErrors": "True",
}
"""Node conditions that tell of a GPU that does not work, and the status in which they do.

Source: the node monitoring agent of EKS (docs.aws.amazon.com/eks, node health issues) writes the
first, the node problem detector of AKS (learn.microsoft.com, "Node Problem Detector in AKS nodes")
the others. What passes by itself, such as throttled clocks, is none.
"""

Counts = tuple[tuple[str, int], ...]
"""Devices by resource name, sorted."""


@dataclass(frozen=True, order=True)
class Workload:
    """What a pod belongs to, and what a node is bought for."""

    namespace: str
    kind: str
    name: str

    @property
    def label(self) -> str:
        """`Kind/name`, as the claim's annotation holds it."""
        return f"{self.kind}/{self.name}"

    @property
    def key(self) -> str:
        """namespace/Kind/name."""
        return f"{self.namespace}/{self.label}"


def workload(meta: api.Object) -> Workload:
    """What a pod belongs to: its controller, the Deployment behind a ReplicaSet, or itself."""
    namespace = meta["namespace"]
    owner = next((o for o in meta.get("ownerReferences") or () if o.get("controller")), None)
    if owner is None:
        return Workload(namespace, "Pod", meta["name"])
    stem = owner["name"].removesuffix(f"-{(meta.get('labels') or {}).get('pod-template-hash', '')}")
    if owner["kind"] == "ReplicaSet" and stem != owner["name"]:
        return Workload(namespace, "Deployment", stem)
    return Workload(namespace, owner["kind"], owner["name"])


def condition(status: api.Object, kind: str) -> api.Object:
    """The condition of that type; empty where there is none."""
    found = status.get("conditions") or ()
    return next((condition for condition in found if condition["type"] == kind), {})


def is_true(status: api.Object, kind: str) -> bool:
    """Whether the condition of that type is there and true."""
    return bool(condition(status, kind).get("status") == "True")


def gpu_fault(status: api.Object) -> str:
    """The condition of a node that says that a GPU of it does not work; empty: none does."""
    found = status.get("conditions") or ()
    faults = sorted(c["type"] for c in found if _FAULTS.get(c["type"]) == c.get("status"))
    return faults[0] if faults else ""


def pod_devices(spec: api.Object) -> Counts:
    """Devices that a pod holds: what runs together, or an init container's time if that is more.

    A restartable init container, a sidecar, runs on beside what comes after it. Source:
    Kubernetes' `k8s.io/component-helpers/resource`, `AggregateContainerRequests`.
    """
    running = _sum(spec.get("containers") or ())
    sidecars: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        own = _sum((container,))
        if container.get("restartPolicy") == "Always":
            running += own
            sidecars += own
        else:
            most |= sidecars + own
    return tuple(sorted((running | most).items()))


def requests(container: api.Object) -> dict[str, Any]:
    """What a container asks for; a limit without a request is one."""
    resources = container.get("resources") or {}
    return {**(resources.get("limits") or {}), **(resources.get("requests") or {})}


def devices(amounts: Mapping[str, Any]) -> Counts:
    """The devices among resources: extended ones in whole numbers, above none."""
    counts = ((name, str(amount)) for name, amount in amounts.items() if _is_device(name))
    return tuple(sorted((name, int(n)) for name, n in counts if n.isdecimal() and int(n) > 0))


def _sum(containers: Iterable[api.Object]) -> Counter[str]:
    total: Counter[str] = Counter()
    for container in containers:
        total.update(dict(devices(requests(container))))
    return total


def _is_device(resource: str) -> bool:
    domain, slash, _ = resource.partition("/")
    return bool(slash) and not domain.endswith(_NO_DEVICES)
