"""What is to be told to whom: pure; who was told what before is asked, not known."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from kubeapi import events, objects
from kubeapi.events import Reason
from node_provisioner import demand, plan, reasons, stock, views
from node_provisioner.views import Standing

_OF_CLAIMS = ("NodeRequested", "NodeAwaited")


@dataclass(frozen=True)
class Sentence:
    """Something to tell once."""

    about: events.Subject | objects.Workload
    reason: Reason
    topic: str
    """The same topic is not told twice under one reason code."""


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
    """Why every pod waits, and what was bought or refused for its workload."""
    new = {claim.name: claim for claim in decided.create}
    unbought = new.keys() - set(known.bought)
    coming = {placed.bin.claim for placed in decided.placed if not placed.bin.node}
    admitted = {view.uid for view in decided.admit}
    for placed in decided.placed:
        if placed.pod.standing is Standing.UNJUDGED or placed.bin.claim in unbought:
            continue
        if placed.bin.node and placed.pod.uid not in admitted:
            yield from _of_present(placed)
        elif placed.bin.node:
            continue
        elif not coming & {known.told(placed.pod.uid, code) for code in _OF_CLAIMS}:
            yield _of_coming(placed, new.get(placed.bin.claim), known.because)
    for left in decided.unplaced:
        yield Sentence(pod(left.pod), left.reason, left.reason.sentence)
    together = Counter(view.workload for view in decided.admit)
    for view in decided.admit:
        reason = reasons.nodes_ready(together[view.workload])
        yield Sentence(pod(view), reason, reason.sentence)
    for waiting in demand.unreadable(pods):
        problem = waiting.problem
        yield Sentence(pod(waiting), reasons.unreadable(problem), problem)
    yield from _to_workloads(decided, known)


def of_blindness(pods: Iterable[views.PodView], why: str) -> Iterator[Sentence]:
    """That nothing can be decided, to every pod that waits."""
    for view in pods:
        if view.managed and view.standing in demand.BUYS_A_NODE:
            yield Sentence(pod(view), reasons.blind(why), why)


def pod(view: views.PodView) -> events.Subject:
    """The pod as what an Event is about."""
    return events.Subject("v1", "Pod", view.namespace, view.name, view.uid)


def claim(view: views.ClaimView) -> events.Subject:
    """The claim as what an Event is about."""
    return events.Subject("karpenter.sh/v1", "NodeClaim", "", view.key, view.uid)


def node(name: str) -> events.Subject:
    """The node as what an Event is about; as the kubelet's, by its name for a uid."""
    return events.Subject("v1", "Node", "", name, name)


def _of_present(placed: stock.Placement) -> Iterator[Sentence]:
    if placed.pod.standing is Standing.GATED:
        reason = reasons.others_awaited()
        yield Sentence(pod(placed.pod), reason, reason.sentence)
    if placed.bin.settled and placed.bin.claim and placed.pod.standing is Standing.REFUSED:
        reason = reasons.not_taken(placed.bin.claim, placed.bin.node)
        yield Sentence(pod(placed.pod), reason, placed.bin.node)


def _of_coming(
    placed: stock.Placement, new: plan.NewClaim | None, because: Callable[[str], str]
) -> Sentence:
    name = placed.bin.claim
    reason = reasons.awaited(name, placed.bin.instance_type)
    if new is not None:
        why = because(new.workload.key)
        reason = reasons.requested([name], new.offer, new.place, why, new.then)
    return Sentence(pod(placed.pod), reason, name)


def _to_workloads(decided: plan.Plan, known: Known) -> Iterator[Sentence]:
    """The same for all pods of a workload at once."""
    bought: dict[tuple[objects.Workload, str], list[plan.NewClaim]] = {}
    for new in decided.create:
        if new.name in known.bought:
            bought.setdefault((new.workload, new.place), []).append(new)
    for (workload, place), claims in bought.items():
        names, why = [new.name for new in claims], known.because(workload.key)
        reason = reasons.requested(names, claims[0].offer, place, why, claims[0].then)
        yield Sentence(workload, reason, names[0])
    refused = {(left.pod.workload, left.reason): None for left in decided.unplaced}
    for workload, reason in refused:
        yield Sentence(workload, reason, reason.sentence)
