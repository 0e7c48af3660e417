"""Kinds of refusals, by the words of clouds and controllers (fault case C3)."""

import pytest

from node_provisioner import refusals
from node_provisioner.refusals import Kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("InsufficientInstanceCapacity: We currently do not have sufficient p3", Kind.CAPACITY),
        ("ZonalAllocationFailed: Allocation failed.", Kind.CAPACITY),
        ("OverconstrainedAllocationRequest", Kind.CAPACITY),
        ("OverconstrainedZonalAllocationRequest", Kind.CAPACITY),
        ("all requested instance types were unavailable during launch", Kind.CAPACITY),
        ("InsufficientCapacityError: something new", Kind.CAPACITY),
        ("creating nodeclaim, all requested offerings: insufficient capacity", Kind.CAPACITY),
        ("no spot machine of Standard_NC24ads_A100_v4 can be had now", Kind.CAPACITY),
        ("this host sells 8 machines and has no more", Kind.CAPACITY),
        (
            "OperationNotAllowed: exceeding approved standardNCSv3Family Cores quota",
            Kind.QUOTA,
        ),
        ("VcpuLimitExceeded", Kind.QUOTA),
        ("MaxSpotInstanceCountExceeded", Kind.QUOTA),
        ("SkuNotAvailable: The requested VM size is not available in westus", Kind.UNSOLD),
        ("none of the instance types asked for is sold here", Kind.UNSOLD),
        ("LaunchFailed: translating nodeclaim to node, instance type not found", Kind.UNSOLD),
        ("node class kwoknodeclasses/default is not ready: no subnets", Kind.NODE_CLASS),
        ('resolving node class, "default" not found', Kind.NODE_CLASS),
        ("NodeClassNotReady", Kind.NODE_CLASS),
        ("in progress create node pool operation", Kind.UNFINISHED),
        ("something that nobody has seen before", Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
    ],
)
def test_a_refusal_is_known_by_its_words(words: str, kind: Kind) -> None:
    assert refusals.of(words).kind is kind


def test_the_sentence_says_what_it_means_and_what_was_said() -> None:
    assert refusals.of("VcpuLimitExceeded:\n  80").sentence == (
        "the quota is used up: VcpuLimitExceeded: 80"
    )
    assert refusals.of("").sentence == "no reason was given"
    assert len(refusals.of("x" * 5000).text) == 300
