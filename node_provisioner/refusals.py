"""Why a provider gave no node: the kind of a refusal, from the words that came with it.

Karpenter deletes a claim that it cannot serve and leaves an Event; gpu-provisioner leaves the
cloud's own text in the condition Launched for five minutes. There are no codes: the words are the
clouds' error codes, which are stable, and those of Karpenter's source.
"""

import re
from dataclasses import dataclass
from enum import Enum

_LONGEST = 300
"""Characters of a provider's words that are passed on."""


class Kind(Enum):
    """What a refusal means for what is tried next."""

    CAPACITY = "no capacity"
    QUOTA = "the quota is used up"
    UNSOLD = "not sold there"
    NODE_CLASS = "the node class is missing or not ready"
    UNFINISHED = "still under way"
    UNKNOWN = ""


@dataclass(frozen=True)
class Refusal:
    """A purchase that came to nothing."""

    kind: Kind
    text: str

    @property
    def sentence(self) -> str:
        """For people."""
        return ": ".join(filter(None, (self.kind.value, self.text))) or "no reason was given"


def of(text: str) -> Refusal:
    """The refusal in a provider's words; empty: it said nothing."""
    kind = next((kind for kind, words in _WORDS if words.search(text)), Kind.UNKNOWN)
    return Refusal(kind, " ".join(text.split())[:_LONGEST])


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_WORDS = (
    (Kind.UNFINISHED, _any("in progress", "OperationNotAllowed.*another operation")),
    (Kind.NODE_CLASS, _any(r"node\s?class")),
    (
        Kind.QUOTA,
        _any("quota", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded", "InstanceLimitExceeded"),
    ),
    (
        Kind.UNSOLD,
        _any(
            "SkuNotAvailable",
            "NotAvailableForSubscription",
            "VMSizeNotSupported",
            "UnsupportedOperation",
            "is sold here",
            "instance type not found",
        ),
    ),
    (
        Kind.CAPACITY,
        _any(
            "Insufficient",
            "AllocationFailed",
            "Overconstrained(Zonal)?AllocationRequest",
            "SpotMaxPriceTooLow",
            "UnfulfillableCapacity",
            "no capacity",
            "out of capacity",
            "no instance type",
            "has no more",
            "can be had now",
            "were unavailable",
        ),
    ),
)
"""The first that is found counts.

Sources: Azure's table of allocation and deployment errors; EC2's API error codes, as in
karpenter-provider-aws `pkg/errors`; `lifecycle/launch.go` of Karpenter 1.14.1; our own provider.
"""
