"""The cluster at one moment, as an immutable value: what every answer is a function of."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kubeapi import objects
from scheduler_ext import fit, views


@dataclass(frozen=True)
class Snapshot:
    """Nodes with what is known about them, and the pods that wait."""

    candidates: Mapping[str, fit.Candidate] = field(default_factory=dict)
    """By node."""
    doubtful: Mapping[str, fit.Candidate] = field(default_factory=dict)
    """Those among them that not every pod may use."""
    image_bytes: Mapping[str, int] = field(default_factory=dict)
    waiting: tuple[views.PodView, ...] = ()
    """Pods of ours that are bound to no node, the most urgent first."""
    holders: Mapping[str, views.PodView] = field(default_factory=dict)
    """Pods that are bound to a node, by uid."""
    unread: tuple[str, ...] = ()
    """Lists that were never read: without them nothing can be said about any node."""


def take(
    pods: Iterable[views.PodView],
    nodes: Sequence[views.NodeView],
    claims: Iterable[views.ClaimView],
    *,
    fresh: Collection[str],
) -> Snapshot:
    """The snapshot; nodes of the claims in `fresh`, by uid, are kept for the claim's workload."""
    waiting, holders = _divided(pods)
    free = _free(holders.values(), nodes)
    by_name = {claim.name: claim for claim in claims}
    by_node = {claim.node: claim for claim in by_name.values() if claim.node}
    kept = _by_workload(waiting)
    candidates: dict[str, fit.Candidate] = {}
    for node in nodes:
        claim = by_name.get(node.claim) or by_node.get(node.name)
        candidates[node.name] = fit.Candidate(
            node,
            claim,
            free.get(node.name, {}),
            tuple(pod for pod in kept.get(claim.workload, ()) if _may_use(pod, node))
            if claim is not None and claim.uid in fresh
            else (),
        )
    return Snapshot(
        candidates=candidates,
        doubtful={name: one for name, one in candidates.items() if one.is_doubtful},
        image_bytes={name: size for node in nodes for name, size in node.images},
        waiting=waiting,
        holders=holders,
    )


@dataclass(frozen=True)
class Opening:
    """A waiting pod that was refused a node and would not be now."""

    pod: views.PodView
    node: str


def opened(before: Snapshot, after: Snapshot) -> bool:
    """Whether a node that was closed, or kept for some, is so no more."""
    if before.unread or after.unread:
        return bool(before.unread) and not after.unread
    was = ((one, after.candidates.get(name)) for name, one in before.doubtful.items())
    return any(
        now is not None and now.obstacle is None and (one.obstacle is not None or not now.kept_for)
        for one, now in was
    )


def openings(before: Snapshot, after: Snapshot, known: Collection[str] = ()) -> Iterator[Opening]:
    """Pods to be tried again: as many as the nodes that opened can take, the most urgent first.

    `known`: pods, by uid, that were looked at before.

    kube-scheduler tries a refused pod again when something in the cluster changes; that our answer
    changed is nothing that it sees. A pod that can use none of the openings for reasons of its
    own costs the next one a wait until any pod or node changes.
    """
    if after.unread:
        return
    names = after.candidates if before.unread else before.doubtful
    waiting = [p for p in after.waiting if p.marked and not p.gated and p.uid not in known]
    for name in names:
        candidate = after.candidates.get(name)
        if not waiting or candidate is None or candidate.obstacle is not None:
            continue
        chosen = _chosen(waiting, candidate, before.candidates.get(name))
        for pod in chosen:
            waiting.remove(pod)
            yield Opening(pod, name)


def unmarked(now: Snapshot) -> Iterator[str]:
    """Nodes of ours that are to offer the marker and do not.

    A waiting pod that kube-scheduler itself refused for want of a device is tried again when a
    node reports the device, and only if that node offers all that the pod asks for: the hint of the
    plugin NodeResourcesFit counts the marker too (`isFit` in fit.go of 1.36.3). So a node offers it
    from when a waiting pod could go there. A kubelet that finds its node made anew sets the
    marker to zero, and would then refuse pods with it: such a node is not left so.
    """
    asked = {(p.instance_types, p.devices) for p in now.waiting if p.marked and not p.gated}
    for name, candidate in now.candidates.items():
        node = candidate.node
        if candidate.claim is None or node.marker not in {"", "0"}:
            continue
        if node.marker or (
            candidate.obstacle is None
            and any(
                node.instance_type in types and _has_devices(candidate, devices)
                for types, devices in asked
            )
        ):
            yield name


def _has_devices(candidate: fit.Candidate, devices: objects.Counts) -> bool:
    return all(candidate.free.get(resource, 0) >= count for resource, count in devices)


def _chosen(
    waiting: Iterable[views.PodView], now: fit.Candidate, before: fit.Candidate | None
) -> list[views.PodView]:
    """Those that the node can take together."""
    left, chosen = dict(now.free), list[views.PodView]()
    for pod in waiting:
        if left and max(left.values()) <= 0:
            return chosen
        has_room = all(left.get(resource, 1) >= count for resource, count in pod.devices)
        if has_room and _may_be_tried(pod, now, before):
            left.update((resource, left.get(resource, 1) - n) for resource, n in pod.devices)
            chosen.append(pod)
    return chosen


def _may_be_tried(pod: views.PodView, now: fit.Candidate, before: fit.Candidate | None) -> bool:
    return (
        _may_use(pod, now.node)
        and fit.fits(pod, now) is None
        and (before is None or fit.fits(pod, before) is not None)
    )


def _may_use(pod: views.PodView, node: views.NodeView) -> bool:
    return node.instance_type in pod.instance_types


def _divided(
    pods: Iterable[views.PodView],
) -> tuple[tuple[views.PodView, ...], dict[str, views.PodView]]:
    waiting, holders = [], {}
    for pod in pods:
        if pod.node:
            holders[pod.uid] = pod
        else:
            waiting.append(pod)
    waiting.sort(key=lambda pod: (-pod.priority, pod.created, pod.key))
    return tuple(waiting), holders


def _free(
    pods: Iterable[views.PodView], nodes: Iterable[views.NodeView]
) -> dict[str, dict[str, int]]:
    free = {node.name: dict(node.devices) for node in nodes if node.devices}
    for pod in pods:
        left = free.get(pod.node, {})
        for resource, count in pod.devices:
            if resource in left:
                left[resource] -= count
    return free


def _by_workload(pods: Iterable[views.PodView]) -> dict[str, list[views.PodView]]:
    found: dict[str, list[views.PodView]] = {}
    for pod in pods:
        found.setdefault(pod.workload, []).append(pod)
    return found
