"""Reason codes and sentences that users see on their workloads."""

from collections.abc import Mapping

from kubeapi.events import Reason


def conflict(name: str) -> Reason:
    """Something else has the Service's name."""
    hint = "annotate the workload kaito.sh/service: none to say that this is meant"
    return Reason(
        "ServiceConflict", f"Service {name} exists and is not ours: kept as it is\nhint: {hint}"
    )


def no_selector() -> Reason:
    """A Service selects by labels alone, and the workload does not."""
    hint = "give spec.selector matchLabels, or make a Service of your own"
    return Reason("ServiceSelector", f"spec.selector has no matchLabels to select by\nhint: {hint}")


def rejected(name: str, message: str) -> Reason:
    """The API server does not take the Service."""
    return Reason("ServiceRejected", f"Service {name}: {message}")


def gate_lifted(seconds: float) -> Reason:
    """The node planner is dead, so that the pod no longer waits for nodes for all."""
    sentence = f"the node planner has not been heard of for {seconds:g} s: the gate is lifted"
    return Reason("GateLifted", f"{sentence}\nhint: see the planner's pods and its Lease")


ON: Mapping[str, str] = {"GateLifted": "pod"}
"""What carries an event, where it is not the workload."""
