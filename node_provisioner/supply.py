"""GPUs that a waiting pod may get without buying: free ones, and those on their way."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from node_provisioner import offerings, rules, views


@dataclass(frozen=True)
class Bin:
    """Free devices of one kind on one node, there or coming."""

    claim: str
    """Claim that brings or brought the node; empty: a node that is not ours."""
    node: str
    """Node; empty: it has not come yet."""
    instance_type: str
    resource: str
    free: int
    workload: str = ""
    """namespace/Kind/name that the claim was bought for."""
    labels: tuple[tuple[str, str], ...] = ()
    """Of the node; of one that has yet to come, what is known of them."""
    taints: tuple[rules.Taint, ...] = ()
    settled: bool = False
    """The scheduler has had time to use it: a pod that it refuses does not fit there."""

    @property
    def name(self) -> str:
        """The node, or the claim while there is none."""
        return self.node or self.claim

    @property
    def label_map(self) -> dict[str, str]:
        """Labels by key."""
        found = {rules.INSTANCE_TYPE: offerings.node_label(self.instance_type), **dict(self.labels)}
        return found | ({rules.NAME: self.node} if self.node else {})


def coming(claim: str, offer: offerings.Offer, workload: str, resource: str, count: int) -> Bin:
    """What a claim, by its name, will bring of one resource."""
    labels = tuple(offer.labels.items())
    return Bin(claim, "", offer.instance_type, resource, count, workload, labels)


def free(
    pods: Iterable[views.PodView], nodes: Iterable[views.NodeView], leaving: Collection[str] = ()
) -> dict[tuple[str, str], int]:
    """Devices that no pod holds, by node and resource; below 0 where a node lost devices in use.

    `leaving`: uids of pods that hold nothing any more, or soon will not.
    """
    left = {(node.key, resource): n for node in nodes for resource, n in node.devices}
    for pod in pods:
        if pod.uid in leaving:
            continue
        for resource, count in pod.devices:
            if (pod.node, resource) in left:
                left[pod.node, resource] -= count
    return left


def bins(
    pods: Iterable[views.PodView],
    nodes: Sequence[views.NodeView],
    claims: Sequence[views.ClaimView],
    *,
    fresh: Collection[str],
) -> tuple[Bin, ...]:
    """What waiting pods may count on.

    A claim counts from its creation until its node is Ready and shows its devices; from then on the
    node's free devices count. A node that is not `fresh` is settled: a pod that is unschedulable
    still has the scheduler's word that the node does not fit, which knows more than GPUs. `fresh`
    also carries a claimed node through a short loss of readiness, and names the pods that have
    begun to end: what they hold counts as free, since it will be long before a new node comes.
    """
    left = free(pods, nodes, leaving=fresh)
    by_key = {node.key: node for node in nodes}
    bought = {node.claim: node for node in nodes if node.claim}
    bought |= {claim.key: by_key[claim.node] for claim in claims if claim.node in by_key}
    found: list[Bin] = []
    for claim in claims:
        found += _of_claim(claim, bought.get(claim.key), left, fresh)
    ours = {node.key for node in bought.values()}
    for node in nodes:
        if node.key not in ours and node.ready and not node.cordoned:
            found += _of_node(node, left, fresh)
    return tuple(found)


def _of_claim(
    claim: views.ClaimView,
    node: views.NodeView | None,
    left: Mapping[tuple[str, str], int],
    fresh: Collection[str],
) -> tuple[Bin, ...]:
    if claim.terminating or (node is not None and node.cordoned):
        return ()
    recent = claim.key in fresh or (node is not None and node.key in fresh)
    if node is not None and _shows(node, claim) and (node.ready or (claim.initialized and recent)):
        return _of_node(node, left, fresh, claim)
    if claim.initialized and not recent:
        return ()
    return tuple(
        coming(claim.key, claim.offer, claim.workload, resource, count)
        for resource, count in claim.devices
    )


def _shows(node: views.NodeView, claim: views.ClaimView) -> bool:
    return dict(claim.devices).keys() <= dict(node.devices).keys()


def _of_node(
    node: views.NodeView,
    left: Mapping[tuple[str, str], int],
    fresh: Collection[str],
    claim: views.ClaimView | None = None,
) -> tuple[Bin, ...]:
    recent = node.key in fresh or (claim is not None and claim.key in fresh)
    return tuple(
        Bin(
            claim=claim.key if claim else "",
            node=node.key,
            instance_type=claim.offer.instance_type if claim else node.instance_type,
            resource=resource,
            free=left[node.key, resource],
            workload=claim.workload if claim else "",
            labels=node.labels,
            taints=node.taints,
            settled=not recent,
        )
        for resource, _ in node.devices
    )
