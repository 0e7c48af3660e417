"""Claims that no pod needs any more."""

from collections.abc import Iterable, Sequence

from kubeapi import api
from node_provisioner import views

_MIRROR = "kubernetes.io/config.mirror"


def needless(
    pods: Iterable[views.PodView],
    nodes: Iterable[views.NodeView],
    claims: Sequence[views.ClaimView],
) -> tuple[views.ClaimView, ...]:
    """Claims whose node carries no pod with a device or of ours, and that no waiting pod could use.

    Pods that wait for anything count, not only those that the scheduler has refused: a node is
    kept rather than bought twice. Pods that were told to end on a node that is not Ready count for
    nothing: its kubelet confirms no end, and they stay for as long as the node does.
    """
    pods, nodes = tuple(pods), tuple(nodes)
    silent = {node.key for node in nodes if not node.ready}
    held = {pod.node for pod in pods if pod.node and not (pod.ending and pod.node in silent)}
    wanted = {
        (instance_type, pod.spec.gpu_resource)
        for pod in pods
        if pod.spec is not None and not pod.node
        for instance_type in pod.spec.instance_types
    }
    node_of = {node.claim: node.key for node in nodes if node.claim}
    return tuple(
        claim
        for claim in claims
        if not claim.terminating
        and not {claim.node, node_of.get(claim.key)} & held
        and not any((claim.offer.instance_type, one) in wanted for one, _ in claim.devices)
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
