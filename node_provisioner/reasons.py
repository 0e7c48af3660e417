"""Reason codes and sentences that users see on their pods and workloads."""

from collections.abc import Mapping, Sequence

from kubeapi.events import Reason
from node_provisioner import offerings, rules
from presets import prices, provision_spec


def requested(
    claims: Sequence[str],
    offer: offerings.Offer,
    place: str,
    because: str,
    then: offerings.Offer | None,
) -> Reason:
    """A node was bought."""
    after = f" after {because}" if because else ""
    following = f"; if it is refused, next: {then}" if then else ""
    listed = f"{', '.join(claims[:_NAMED])}{_more(len(claims) - _NAMED)}"
    plural = "s" if claims[1:] else ""
    sentence = f"NodeClaim{plural} {listed} created ({offer.priced}), {place}{after}{following}"
    return Reason("NodeRequested", f"no node is free: {sentence}", warning=False)


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


_NAMED = 3
"""Claims that are named; of more the number."""


def awaited(claim: str, instance_type: str) -> Reason:
    """A node that was bought before will take the pod."""
    sentence = f"waiting for the node of NodeClaim {claim} ({instance_type})"
    return Reason("NodeAwaited", sentence, warning=False)


def others_awaited() -> Reason:
    """The pod has a node, and those that start together with it have not."""
    sentence = "waiting for the nodes of the pods that start together with it"
    return Reason("NodesAwaited", sentence, warning=False)


def not_taken(claim: str, node: str) -> Reason:
    """A node that was bought for the workload is there, and the scheduler does not use it."""
    hint = "the pod's own condition PodScheduled says what it lacks; another such node is no help"
    return Reason(
        "NodeNotTaken",
        f"node {node} of NodeClaim {claim} has a free GPU, and the scheduler does not put the pod"
        f" there\nhint: {hint}",
    )


def all_refused(offers: Sequence[offerings.Offer], why: Mapping[offerings.Offer, str]) -> Reason:
    """Nothing that the pod may use can be had for now."""
    listed = "; ".join(f"{one}: {_why(one, why)}" for one in offers)
    hint = "more instance types in annotation kaito.sh/instance-types widen the choice"
    return Reason(
        "NodeUnavailable",
        f"every offer was refused, tried again later: {listed}\nhint: {hint}",
    )


def paused(why: str) -> Reason:
    """Nothing is bought for anybody, as purchases fail for a reason of the cluster's own."""
    return Reason("BuyingPaused", f"no node is bought for now: {why}")


def cluster_limit(claims: int) -> Reason:
    """The cluster-wide limit stands in the way."""
    hint = "raise --max-claims of the node planner, or scale a workload down"
    sentence = f"no more than {claims} nodes may be bought in the cluster"
    return Reason("ClaimLimitReached", f"{sentence}\nhint: {hint}")


def namespace_limit(namespace: str, claims: int) -> Reason:
    """The namespace has as many nodes as it may have."""
    hint = "raise --max-claims-per-namespace of the node planner, or scale a workload down"
    sentence = f"no more than {claims} nodes may be bought for namespace {namespace}"
    return Reason("NamespaceLimitReached", f"{sentence}\nhint: {hint}")


def workload_limit(workload: str, claims: int) -> Reason:
    """The workload has as many nodes as it may have."""
    hint = "raise --max-claims-per-workload of the node planner, or ask for fewer replicas"
    sentence = f"no more than {claims} nodes may be bought for {workload}"
    return Reason("WorkloadLimitReached", f"{sentence}\nhint: {hint}")


def price_limit(offer: offerings.Offer, spent: int, most: int) -> Reason:
    """All bought nodes together would cost more than they may."""
    hint = "raise --max-price-per-hour of the node planner, or scale a workload down"
    sentence = (
        f"{offer.priced} beside {prices.shown(spent)} of what is bought is more than"
        f" {prices.shown(most)}"
    )
    return Reason("PriceLimitReached", f"{sentence}\nhint: {hint}")


def unpriced(offer: offerings.Offer) -> Reason:
    """There is a limit of the price, and no price is known."""
    hint = "name instance types with a known price: `plainsail offers PRESET` lists them"
    return Reason("PriceUnknown", f"the price of {offer} is not known\nhint: {hint}")


def gang_incomplete(there: int, missing: int) -> Reason:
    """Pods that start together are not all there yet."""
    sentence = f"{there} pods wait for {missing} more that start together with them"
    return Reason("PodsAwaited", sentence, warning=False)


def nodes_ready(count: int) -> Reason:
    """There are nodes for all pods that start together: their gate is lifted."""
    sentence = f"there are nodes for all {count} pods that start together: they may be scheduled"
    return Reason("NodesReady", sentence, warning=False)


def gang_waits(why: Reason) -> Reason:
    """Not all pods that start together can get a node, so none does."""
    return Reason("NodesUnavailable", f"there are no nodes for all pods: {why.sentence}")


def no_gpu_asked() -> Reason:
    """The pod asks for no GPU, so there is nothing to buy for it."""
    return Reason("NothingToBuy", "the pod asks for no GPU, and GPU nodes are all that is bought")


def no_offer(spec: provision_spec.ProvisionSpec, of_pod: rules.Rules) -> Reason:
    """No allowed type is large enough, or the pod's own rules let it run on none of them."""
    listed, gpus = ", ".join(spec.instance_types), spec.gpus
    if all(offerings.gpus(name, gpus) < gpus for name in spec.instance_types):
        why = f"the pod asks for {gpus} GPUs, more than any of"
    else:
        why = f"the pod's own rules about {', '.join(sorted(of_pod.keys))} let it run on none of"
    return Reason("NoOffer", f"{why}: {listed}")


def unreadable(problem: str) -> Reason:
    """The pod's provision spec is missing or malformed."""
    hint = "the admission webhook writes it; was the pod created while the webhook was away?"
    return Reason("MalformedProvisionSpec", f"{problem}\nhint: {hint}")


def refused(claim: str, offer: offerings.Offer, why: str) -> Reason:
    """A purchase was refused or ended before its node was usable."""
    return Reason("ClaimRefused", withdrawn(claim, offer, why))


def given_back(claim: str, offer: offerings.Offer, seconds: float) -> Reason:
    """A node that no pod needed went back."""
    sentence = f"NodeClaim {claim} ({offer.priced}) given back: no pod needed it for {seconds:g} s"
    return Reason("NodeGivenBack", sentence, warning=False)


def stuck(claim: str, seconds: float) -> Reason:
    """A claim was deleted long ago and is still there."""
    hint = "whoever holds its finalizers does not finish: see metadata.finalizers and its logs"
    return Reason("ClaimStuck", f"NodeClaim {claim} is going for {seconds:g} s\nhint: {hint}")


def leaked(node: str, claim: str) -> Reason:
    """A node that we bought has no claim any more."""
    hint = "delete the machine at the provider, and then the node"
    sentence = f"node {node} was bought by NodeClaim {claim}, which is gone: it may still cost"
    return Reason("NodeLeaked", f"{sentence}\nhint: {hint}")


def blind(why: str) -> Reason:
    """The planner cannot read what it decides by."""
    return Reason("PlannerBlind", f"no node can be bought, as a list cannot be read: {why}")


def withdrawn(claim: str, offer: offerings.Offer, why: str) -> str:
    """What became of a purchase that the provider took back."""
    return f"NodeClaim {claim} ({offer}) ended before its node was usable: {why}"


def _why(offer: offerings.Offer, why: Mapping[offerings.Offer, str]) -> str:
    return next((why[one] for one in offer.wider if one in why), "another claim is finding out")


ON_PODS = "pod, workload"
ON: Mapping[str, str] = {
    "NodeAwaited": "pod",
    "NodesAwaited": "pod",
    "NodeNotTaken": "pod",
    "NodesReady": "pod",
    "MalformedProvisionSpec": "pod",
    "PlannerBlind": "pod",
    "ClaimRefused": "claim, workload",
    "NodeGivenBack": "claim, workload",
    "ClaimStuck": "claim",
    "NodeLeaked": "node",
}
"""What carries an event, where it is not pod and workload."""
