"""Whether a pod may use a node, beyond what kube-scheduler itself sees. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kubeapi.events import Reason
from scheduler_ext import reasons, views


@dataclass(frozen=True)
class Candidate:
    """A node with what is known about it."""

    node: views.NodeView
    claim: views.ClaimView | None = None
    """Claim of ours that brought it; None: it is not ours."""
    free: Mapping[str, int] = field(default_factory=dict)
    """Devices that no pod holds, by resource. One that is absent is unknown, not zero: devices of
    a DRA driver stand in ResourceSlices, and kube-scheduler counts them."""
    kept_for: tuple[views.PodView, ...] = ()
    """Waiting pods of the claim's workload, while the node is kept for them."""

    @cached_property
    def obstacle(self) -> Reason | None:
        """What keeps every pod of ours away from the node."""
        node, claim = self.node, self.claim
        if claim is not None and claim.terminating:
            return reasons.claim_ending(claim.name)
        if claim is not None and not claim.initialized:
            return reasons.not_initialized(claim.name)
        if node.registering:
            return reasons.registering()
        return reasons.faulty(node.fault) if node.fault else None

    @property
    def is_doubtful(self) -> bool:
        """Whether there are pods that may not use the node."""
        return bool(self.kept_for) or self.obstacle is not None


def fits(pod: views.PodView, candidate: Candidate) -> Reason | None:
    """Why the pod may not use the node; None: it may, as far as we are concerned.

    What kube-scheduler checks is not checked again. More free devices never turn a fit into a
    misfit, and pods that are not ours fit everywhere.
    """
    if not pod.managed:
        return None
    return candidate.obstacle or _reservation(pod, candidate)


def _reservation(pod: views.PodView, candidate: Candidate) -> Reason | None:
    """The claim's own pods go first, unless this one is more urgent or there is room for all."""
    claim = candidate.claim
    if claim is None or not candidate.kept_for or pod.workload == claim.workload:
        return None
    before = [dict(kept.devices) for kept in candidate.kept_for if kept.priority >= pod.priority]
    for resource, count in pod.devices:
        if resource in candidate.free:
            kept = sum(devices.get(resource, 0) for devices in before)
            if kept and candidate.free[resource] - kept < count:
                return reasons.reserved(claim.name, claim.workload)
    return None
