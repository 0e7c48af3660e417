"""Reason codes and sentences that users see on their workloads."""

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
