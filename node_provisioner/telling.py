"""What the waiting pods are to be told: pure; who was told what before is asked, not known."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from kubeapi.events import Reason
from node_provisioner import demand, plan, reasons, stock, views
from node_provisioner.views import Standing

Sentence = tuple[views.PodView, Reason, str]
"""Pod, what it is told, and the topic: the same topic is not told twice."""

_OF_CLAIMS = ("NodeRequested", "NodeAwaited")


@dataclass(frozen=True)
class Known:
    """What is to be asked."""

    bought: Collection[str]
    """Names of the plan's claims that were created."""
    because: Callable[[str], str]
    """Why a workload's last purchase failed."""
    told: Callable[[str, str], str]
    """The topic that a pod, by uid, was last told about under a reason code."""


def sentences(
    pods: Iterable[views.PodView], decided: plan.Plan, known: Known
) -> Iterator[Sentence]:
    """Every pod that waits, and why."""
    new = {claim.name: claim for claim in decided.create}
    unbought = new.keys() - set(known.bought)
    coming = {placed.bin.claim for placed in decided.placed if not placed.bin.node}
    for placed in decided.placed:
        if placed.pod.standing is Standing.UNJUDGED or placed.bin.claim in unbought:
            continue
        if placed.bin.node:
            yield from _of_present(placed)
        elif not coming & {known.told(placed.pod.uid, code) for code in _OF_CLAIMS}:
            yield _of_coming(placed, new.get(placed.bin.claim), known.because)
    for left in decided.unplaced:
        yield left.pod, left.reason, left.reason.sentence
    for pod in demand.unreadable(pods):
        yield pod, reasons.unreadable(pod.problem), pod.problem


def _of_present(placed: stock.Placement) -> Iterator[Sentence]:
    if placed.bin.settled and placed.bin.claim and placed.pod.standing is Standing.REFUSED:
        reason = reasons.not_taken(placed.bin.claim, placed.bin.node)
        yield placed.pod, reason, placed.bin.node


def _of_coming(
    placed: stock.Placement, new: plan.NewClaim | None, because: Callable[[str], str]
) -> Sentence:
    claim = placed.bin.claim
    if new is None:
        return placed.pod, reasons.awaited(claim, placed.bin.instance_type), claim
    why = because(new.workload.key)
    return placed.pod, reasons.requested(claim, new.offer, new.place, why, new.then), claim
