"""Reason codes and sentences that users see on their pods."""

from collections.abc import Sequence

from kubeapi.events import Reason
from node_provisioner import offerings


def requested(claim: str, offer: offerings.Offer, attempt: int, because: str) -> Reason:
    """A node was bought for the pod."""
    again = f", attempt {attempt + 1} after {because}" if attempt and because else ""
    sentence = f"no node can take the pod: NodeClaim {claim} created ({offer}{again})"
    return Reason("NodeRequested", sentence, warning=False)


def awaited(claim: str, instance_type: str) -> Reason:
    """A node that was bought before will take the pod."""
    sentence = f"waiting for the node of NodeClaim {claim} ({instance_type})"
    return Reason("NodeAwaited", sentence, warning=False)


def all_refused(offers: Sequence[offerings.Offer]) -> Reason:
    """Nothing that the pod may use can be had for now."""
    listed = "; ".join(str(offer) for offer in offers)
    hint = "more instance types in annotation kaito.sh/instance-types widen the choice"
    return Reason(
        "NodeUnavailable", f"every offer was refused, tried again later: {listed}\nhint: {hint}"
    )


def withdrawn(claim: str, offer: offerings.Offer) -> str:
    """What became of a purchase that the provider took back."""
    return f"NodeClaim {claim} ({offer}) ended before its node was usable"


def limit_reached() -> Reason:
    """The cluster-wide limit stands in the way."""
    hint = "raise --max-claims of the node planner, or scale a workload down"
    return Reason("ClaimLimitReached", f"no more nodes may be bought\nhint: {hint}")


def no_gpu_asked() -> Reason:
    """The pod asks for no GPU, so there is nothing to buy for it."""
    return Reason("NothingToBuy", "the pod asks for no GPU, and GPU nodes are all that is bought")


def too_many_gpus(gpus: int, instance_types: Sequence[str]) -> Reason:
    """No allowed type is large enough."""
    listed = ", ".join(instance_types)
    return Reason("TooManyGpus", f"the pod asks for {gpus} GPUs, more than any of: {listed}")


def unreadable(problem: str) -> Reason:
    """The pod's provision spec is missing or malformed."""
    hint = "the admission webhook writes it; was the pod created while the webhook was away?"
    return Reason("MalformedProvisionSpec", f"{problem}\nhint: {hint}")
