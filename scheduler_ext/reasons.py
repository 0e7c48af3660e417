"""Why a pod of ours is kept away from a node: one text per claim, never one per node.

kube-scheduler joins the texts of all nodes into the pod's condition and event, equal ones counted.
"""

from collections.abc import Sequence

from kubeapi.events import Reason


def not_initialized(claim: str) -> Reason:
    """The claim's node has come and is not yet ready for pods."""
    return Reason("NodeNotInitialized", f"waiting for the node of NodeClaim {claim} to be ready")


def registering() -> Reason:
    """A node that Karpenter bought for others is not yet ready for pods."""
    return Reason("NodeRegistering", "waiting for Karpenter to initialize the node")


def claim_ending(claim: str) -> Reason:
    """The node is being given back."""
    return Reason("ClaimEnding", f"the node of NodeClaim {claim} is being given back")


def faulty(condition: str) -> Reason:
    """The node says that a GPU of it does not work."""
    return Reason("GpuFaulty", f"a GPU does not work ({condition})")


def reserved(claim: str, workload: str) -> Reason:
    """The node has just come for another workload, whose pods still wait for it."""
    return Reason("NodeReserved", f"the node of NodeClaim {claim} was bought for {workload}")


def not_read(lists: Sequence[str]) -> Reason:
    """The extender has only just started, or may not read what it needs."""
    return Reason("ClusterNotRead", f"the scheduler extender is still reading {', '.join(lists)}")
