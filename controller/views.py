"""What the controller reads of workloads and Services: small frozen values."""

from dataclasses import dataclass
from typing import Any

from kubeapi import api
from presets import annotations, forms
from presets.runtime_args import nodes

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "plainsail"

Pairs = tuple[tuple[str, str], ...]
"""A string map, sorted."""


@dataclass(frozen=True)
class GatedPod:
    """A pod that waits behind our scheduling gate alone."""

    key: str
    """namespace/name."""
    uid: str


def gated_pod(raw: api.Object) -> GatedPod | None:
    """The view of a pod; None where it does not wait for us."""
    meta = raw["metadata"]
    gates = [gate["name"] for gate in raw["spec"].get("schedulingGates") or ()]
    if gates != [annotations.GATE] or "deletionTimestamp" in meta:
        return None
    return GatedPod(f"{meta['namespace']}/{meta['name']}", meta["uid"])


@dataclass(frozen=True)
class WorkloadView:
    """A Deployment or StatefulSet that opted in."""

    key: str
    """namespace/Kind/name."""
    uid: str
    selector: Pairs
    """Of the pods that answer: its matchLabels; empty: it has none."""
    service: bool
    """Whether it wants a Service."""
    load_balancer: bool
    """Whether that is of type `LoadBalancer`."""
    terminating: bool

    @property
    def namespace(self) -> str:
        """The workload's namespace."""
        return self.key.split("/")[0]

    @property
    def kind(self) -> str:
        """Deployment or StatefulSet."""
        return self.key.split("/")[1]

    @property
    def name(self) -> str:
        """The workload's name, and its Service's."""
        return self.key.split("/")[2]


@dataclass(frozen=True)
class ServiceView:
    """Any Service."""

    key: str
    """namespace/name."""
    uid: str
    version: str
    """resourceVersion; kept only of our own, where a deletion depends on it."""
    owner: str
    """uid of the workload that it was made for; empty: the Service is not ours."""
    terminating: bool
    selector: Pairs
    ports: tuple[Pairs, ...]
    type: str = ""
    marked: bool = False
    """Its type was made `LoadBalancer` by us."""


def deployment(raw: api.Object) -> WorkloadView | None:
    """The view of a Deployment; None when it has not opted in."""
    return workload(raw, "Deployment") if _opted_in(raw) else None


def stateful_set(raw: api.Object) -> WorkloadView | None:
    """The view of a StatefulSet; None when it has not opted in."""
    return workload(raw, "StatefulSet") if _opted_in(raw) else None


def workload(raw: api.Object, kind: str) -> WorkloadView:
    """The view of a workload that opted in, or of its manifest: a part that is absent is empty."""
    meta = raw["metadata"]
    noted = meta.get("annotations") or {}
    return WorkloadView(
        key=f"{meta.get('namespace') or ''}/{kind}/{meta['name']}",
        uid=meta.get("uid") or "",
        selector=_answering(raw["spec"], kind),
        service=noted.get(annotations.SERVICE) != "none",
        load_balancer=noted.get(annotations.ENABLELB) == forms.TRUE,
        terminating="deletionTimestamp" in meta,
    )


def _answering(spec: api.Object, kind: str) -> Pairs:
    """All pods, or of a model over several nodes the one that leads."""
    labels = (spec.get("selector") or {}).get("matchLabels")
    pod = (spec.get("template") or {}).get("spec") or {}
    if labels and kind == "StatefulSet" and nodes.node_count(pod.get("containers") or ()) > 1:
        labels = {**labels, nodes.INDEX_LABEL: "0"}
    return pairs(labels)


def service(raw: api.Object) -> ServiceView:
    """The view of a Service."""
    meta, spec = raw["metadata"], raw.get("spec", {})
    owner = _owner(meta)
    return ServiceView(
        key=f"{meta['namespace']}/{meta['name']}",
        uid=meta["uid"],
        version=meta["resourceVersion"] if owner else "",
        owner=owner,
        terminating="deletionTimestamp" in meta,
        selector=pairs(spec.get("selector")),
        ports=tuple(port(found) for found in spec.get("ports") or ()),
        type=spec.get("type", ""),
        marked=annotations.ENABLELB in meta.get("annotations", {}),
    )


def port(raw: api.Object) -> Pairs:
    """What we decide about a port; the rest, such as a node port, is not ours."""
    return pairs({key: raw.get(key) for key in ("name", "port", "protocol", "targetPort")})


def pairs(found: dict[str, Any] | None) -> Pairs:
    """A map as a sorted tuple of strings."""
    return tuple(sorted((key, str(value)) for key, value in (found or {}).items()))


def _opted_in(raw: api.Object) -> bool:
    template = raw["spec"].get("template", {}).get("metadata", {})
    return _has_key(raw["metadata"]) or _has_key(template)


def _has_key(meta: api.Object) -> bool:
    noted = meta.get("annotations", {})
    labelled = annotations.PRESET in meta.get("labels", {})
    return labelled or annotations.PRESET in noted or annotations.EXPANSION in noted


def _owner(meta: api.Object) -> str:
    if meta.get("labels", {}).get(MANAGED_BY) != OURS:
        return ""
    owners = (owner for owner in meta.get("ownerReferences", ()) if owner.get("controller"))
    return next((str(owner["uid"]) for owner in owners), "")
