"""What the extender reads of pods, nodes and claims: small frozen values."""

import sys
from dataclasses import dataclass
from functools import lru_cache

from kubeapi import api, objects
from presets import annotations, provision_spec, scheduling

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_REGISTERED, _INITIALIZED = "karpenter.sh/registered", "karpenter.sh/initialized"
_LARGE_BYTES = 100 * 2**20
"""Smaller images arrive in seconds: where they are decides nothing."""


@dataclass(frozen=True)
class PodView:
    """A pod that is managed by us or holds devices."""

    key: str
    """namespace/name."""
    uid: str
    workload: str
    """namespace/Kind/name."""
    managed: bool
    marked: bool
    """Asks for our marker, so that our scheduler asks us."""
    gated: bool
    node: str
    """Node that it is bound to; empty: it waits."""
    priority: int
    created: str
    """RFC 3339: sorts by age."""
    instance_types: tuple[str, ...]
    """Those that it may run on; empty: not said."""
    devices: objects.Counts
    images: tuple[str, ...] = ()
    """Of its containers and volumes, as a node names them; read of requests alone."""


@dataclass(frozen=True)
class NodeView:
    """Any node."""

    name: str
    claim: str = ""
    """Name of the claim of ours that it says it was bought by."""
    instance_type: str = ""
    registering: bool = False
    """Karpenter is not done with it."""
    fault: str = ""
    """Condition that says that a GPU does not work; empty: none does."""
    devices: objects.Counts = ()
    """Allocatable."""
    marker: str = ""
    """How much of our marker it offers, as it says it; empty: it was never written."""
    images: tuple[tuple[str, int], ...] = ()
    """Names and bytes of the large images on it."""


@dataclass(frozen=True)
class ClaimView:
    """A NodeClaim of ours."""

    name: str
    uid: str
    workload: str
    """namespace/Kind/name that it was bought for."""
    node: str
    initialized: bool
    terminating: bool


def pod(raw: api.Object) -> PodView | None:
    """The view of a pod for the snapshot; None when it is finished or of no interest."""
    view = requested(raw)
    if (raw.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return None
    if view.node:
        return view if view.devices else None
    return view if view.managed and "deletionTimestamp" not in raw["metadata"] else None


def requested(raw: api.Object, *, with_images: bool = False) -> PodView:
    """The view of the pod that a request is about.

    Raises:
        KeyError, TypeError, AttributeError, ValueError: it is no pod.
    """
    meta, spec = raw["metadata"], raw["spec"]
    noted = meta.get("annotations") or {}
    return PodView(
        key=f"{meta['namespace']}/{meta['name']}",
        uid=meta["uid"],
        workload=objects.workload(meta).key,
        managed=(meta.get("labels") or {}).get(annotations.MANAGED) == "true",
        marked=any(scheduling.MARKER in objects.requests(c) for c in spec.get("containers") or ()),
        gated=bool(spec.get("schedulingGates")),
        node=spec.get("nodeName") or "",
        priority=int(spec.get("priority") or 0),
        created=meta.get("creationTimestamp") or "",
        instance_types=_instance_types(noted.get(annotations.PROVISION_SPEC) or ""),
        devices=objects.pod_devices(spec),
        images=_images(spec) if with_images else (),
    )


def node(raw: api.Object) -> NodeView:
    """The view of a node."""
    meta, status = raw["metadata"], raw.get("status") or {}
    labels = meta.get("labels") or {}
    allocatable = status.get("allocatable") or {}
    devices = objects.devices(allocatable)
    return NodeView(
        name=meta["name"],
        claim=labels.get(annotations.CLAIM, ""),
        instance_type=labels.get(INSTANCE_TYPE, ""),
        registering=labels.get(_REGISTERED) == "true" and labels.get(_INITIALIZED) != "true",
        fault=objects.gpu_fault(status),
        devices=devices,
        marker=str(allocatable.get(scheduling.MARKER, "")),
        images=_large_images(status) if devices else (),
    )


def claim(raw: api.Object) -> ClaimView | None:
    """The view of a claim; None when another program wrote it."""
    meta, status = raw["metadata"], raw.get("status") or {}
    labels = meta.get("labels") or {}
    if labels.get(annotations.CLAIM) != meta["name"]:
        return None
    namespace = labels.get(annotations.WORKLOAD_NAMESPACE, "")
    name = (meta.get("annotations") or {}).get(annotations.WORKLOAD_NAME, "")
    return ClaimView(
        name=meta["name"],
        uid=meta["uid"],
        workload=f"{namespace}/{name}",
        node=status.get("nodeName") or "",
        initialized=objects.is_true(status, "Initialized"),
        terminating="deletionTimestamp" in meta,
    )


def image_name(reference: str) -> str:
    """An image as a node's status names it: registry, repository, and tag or digest."""
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif not ("." in first or ":" in first or first == "localhost"):
        reference = f"docker.io/{reference}"
    _, _, last = reference.rpartition("/")
    return reference if ":" in last or "@" in last else f"{reference}:latest"


@lru_cache(maxsize=1024)
def _instance_types(text: str) -> tuple[str, ...]:
    """Of a provision spec; few differ, as few presets and instance types are in use."""
    try:
        return provision_spec.ProvisionSpec.from_json(text).instance_types
    except provision_spec.MalformedProvisionSpec:
        return ()


def _images(spec: api.Object) -> tuple[str, ...]:
    containers = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    found = [container.get("image") for container in containers]
    found += [(volume.get("image") or {}).get("reference") for volume in spec.get("volumes") or ()]
    return tuple(sorted({image_name(one) for one in found if one}))


def _large_images(status: api.Object) -> tuple[tuple[str, int], ...]:
    """Names are shared between nodes: a thousand nodes hold the same images."""
    sizes = ((image, image.get("sizeBytes", 0)) for image in status.get("images") or ())
    return tuple(
        (sys.intern(name), size)
        for image, size in sizes
        if size >= _LARGE_BYTES
        for name in image.get("names") or ()
    )
