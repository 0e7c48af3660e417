"""Claims that no pod needs any more."""

from collections.abc import Iterable, Sequence

from kubeapi import api
from node_provisioner import stock, views

_MIRROR = "kubernetes.io/config.mirror"


def needless(
    pods: Iterable[views.PodView],
    nodes: Iterable[views.NodeView],
    claims: Sequence[views.ClaimView],
    placed: Iterable[stock.Placement],
) -> tuple[views.ClaimView, ...]:
    """Claims whose node carries no pod with a device or of ours, and that no waiting pod uses.

    `placed`: what a plan counts on for the pods that wait for anything, not only for those that the
    scheduler has refused: a node is kept rather than bought twice. Pods that were told to end on a
    node that is not Ready count for nothing: its kubelet confirms no end, and they stay for as long
    as the node does.
    """
    nodes = tuple(nodes)
    silent = {node.key for node in nodes if not node.ready}
    held = {pod.node for pod in pods if pod.node and not (pod.ending and pod.node in silent)}
    wanted = {one.bin.claim for one in placed}
    node_of = {node.claim: node.key for node in nodes if node.claim}
    return tuple(
        claim
        for claim in claims
        if not claim.terminating
        and claim.key not in wanted
        and not {claim.node, node_of.get(claim.key)} & held
    )


def holds(pod: api.Object, *, silent: bool) -> bool:
    """Whether a pod is a reason to keep its node: neither finished nor one of every node's own.

    On a `silent` node, one that is not Ready, those that were told to end are no reason either.
    """
    meta = pod["metadata"]
    if silent and "deletionTimestamp" in meta:
        return False
    owners = {owner["kind"] for owner in meta.get("ownerReferences", ())}
    finished = pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
    return not (finished or "DaemonSet" in owners or _MIRROR in meta.get("annotations", {}))
