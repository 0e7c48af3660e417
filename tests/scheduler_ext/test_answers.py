"""The three answers, and the laws that kube-scheduler holds them to.

Rows of the fault cases that are decided here: E8 unknown nodes, E10 no trace, E13 the veto, E14 no
empty victim list, E15 no node that was not asked about, E16 a text for every refusal, E20 no
growing work, E21 one node alone.
"""

import random
from collections import Counter
from typing import Any

import pytest

from scheduler_ext import answers, snapshot, views, wire
from tests.scheduler_ext.objects import GPU, TYPE, claim, node, pod, taken

_OTHER = "default/Deployment/other"
_CODES = ("GpuFaulty", "ClusterNotRead", "NodeNotInitialized", "ClaimEnding", "NodeReserved")
"""Of refusals by the filter, but for nodes that Karpenter is not done with."""


def cluster(draw: random.Random) -> snapshot.Snapshot:
    """Nodes and claims in every state."""
    parts: list[Any] = []
    for i in range(draw.randrange(1, 12)):
        kind, gpus = draw.choice([TYPE, TYPE, "other"]), draw.randrange(1, 7)
        fault = draw.choice(["", "", "", "", "XIDErrors"])
        parts.append(node(f"n{i}", devices=((GPU, gpus),), instance_type=kind, fault=fault))
        if draw.random() < 0.6:
            state = {"initialized": draw.random() < 0.8, "terminating": draw.random() < 0.1}
            workload = draw.choice(["default/Deployment/chat", _OTHER])
            parts.append(claim(f"ws{i}", node=f"n{i}", workload=workload, **state))
        parts += (
            pod(f"b{i}-{j}", node=f"n{i}", workload=draw.choice([_OTHER, "x/y/z"]))
            for j in range(draw.randrange(3))
        )
    for i in range(draw.randrange(7)):
        devices = ((GPU, draw.randrange(1, 3)),)
        parts.append(pod(f"w{i}", workload=_OTHER, priority=draw.randrange(3), devices=devices))
    fresh = tuple(f"uid-ws{i}" for i in range(12) if draw.random() < 0.8)
    unread = draw.random() < 0.05
    return snapshot.Snapshot(unread=("nodes",)) if unread else taken(*parts, fresh=fresh)


def asking(draw: random.Random) -> views.PodView:
    """A pod of some size and urgency."""
    return pod(
        priority=draw.randrange(3),
        managed=draw.random() < 0.9,
        devices=((GPU, draw.randrange(1, 5)),),
    )


def names(draw: random.Random) -> list[str]:
    """Nodes that the scheduler asks about: some, in any order, a few of them not known yet."""
    return draw.sample([f"n{i}" for i in range(14)], draw.randrange(14))


@pytest.mark.parametrize("seed", range(300))
def test_every_node_is_passed_or_refused_with_a_text_and_no_other_is_named(seed: int) -> None:
    """E15, E16."""
    draw = random.Random(seed)
    asked = names(draw)
    found = answers.filtered(asking(draw), asked, cluster(draw))
    assert [name for name in asked if name not in found.failed] == found.passed
    assert found.failed.keys() <= set(asked)
    assert all(found.failed.values())
    assert sum(found.codes.values()) == len(found.failed)


@pytest.mark.parametrize("seed", range(300))
def test_a_preemption_names_no_other_node_and_no_empty_list_and_leaves_victims_alone(
    seed: int,
) -> None:
    """E14."""
    draw = random.Random(seed)
    some = {
        name: wire.Victims(tuple(f"uid-{i}" for i in range(draw.randrange(3))), draw.randrange(2))
        for name in names(draw)
    }
    found = answers.preempted(wire.PreemptRequest(asking(draw), some), cluster(draw))
    assert all(one.uids and some[name] == one for name, one in found.items())


@pytest.mark.parametrize("seed", range(300))
def test_the_veto_mirrors_the_filter(seed: int) -> None:
    """What is passed here and refused there costs the victims and places nobody."""
    draw = random.Random(seed)
    seen, one = cluster(draw), asking(draw)
    holders = [h for h in seen.holders.values() if h.priority < one.priority or draw.random() < 0.5]
    for name in seen.candidates:
        evicted = [held for held in holders if held.node == name]
        if not evicted:
            continue
        victims = {name: wire.Victims(tuple(held.uid for held in evicted), 0)}
        vetoed = not answers.preempted(wire.PreemptRequest(one, victims), seen)
        rest = [held for held in seen.holders.values() if held not in evicted]
        nodes = [candidate.node for candidate in seen.candidates.values()]
        claims = [c.claim for c in seen.candidates.values() if c.claim is not None]
        fresh = tuple(c.claim.uid for c in seen.candidates.values() if c.kept_for and c.claim)
        after = taken(*nodes, *claims, *rest, *seen.waiting, fresh=fresh)
        assert vetoed == (name in answers.filtered(one, [name], after).failed)


def test_the_drawn_space_is_covered() -> None:
    """The laws are only as good as what they are tried on."""
    found: Counter[str] = Counter()
    for seed in range(300):
        draw = random.Random(seed)
        answer = answers.filtered(asking(draw), names(draw), cluster(draw))
        found.update(passed=len(answer.passed), **answer.codes)
    assert found.keys() == {"passed", *_CODES}
    assert min(found.values()) >= 30


def test_asking_leaves_no_trace() -> None:
    """E10: the scheduler also asks in simulations."""
    draw = random.Random(1)
    seen = cluster(draw)
    before = hash(repr(seen))
    for _ in range(1000):
        one, asked = asking(draw), names(draw)
        answers.filtered(one, asked, seen)
        answers.prioritized(one, asked, seen)
        victims = {name: wire.Victims(("uid-b0-0",), 0) for name in asked}
        answers.preempted(wire.PreemptRequest(one, victims), seen)
    assert hash(repr(seen)) == before


def test_pods_that_are_not_ours_are_echoed() -> None:
    stranger = pod(managed=False)
    unread = snapshot.Snapshot(unread=("nodes",))
    assert answers.filtered(stranger, ["a", "b"], unread) == answers.Filtered(["a", "b"])


def test_an_unknown_node_passes_and_is_told() -> None:
    """E8."""
    found = answers.filtered(pod(), ["n1", "n2"], taken(node("n1")))
    assert (found.passed, found.unknown) == (["n1", "n2"], ["n2"])
    assert answers.prioritized(pod(), ["n1", "n2"], taken(node("n1"))) == {"n1": 4, "n2": 0}


def test_before_the_first_look_every_node_waits() -> None:
    """E7: a typed wait, and never an error."""
    found = answers.filtered(pod(), ["n1"], snapshot.Snapshot(unread=("pods", "nodeclaims")))
    assert found.failed == {"n1": "the scheduler extender is still reading pods, nodeclaims"}
    assert found.codes == {"ClusterNotRead": 1}


def test_one_node_alone_is_answered_like_among_others() -> None:
    """E21: a nominated node is asked about first, and alone."""
    seen = taken(node("n1"), node("n2"), claim(initialized=False))
    together = answers.filtered(pod(), ["n1", "n2"], seen)
    assert answers.filtered(pod(), ["n1"], seen).failed == together.failed
    assert answers.filtered(pod(), ["n2"], seen).passed == together.passed


def test_a_node_that_would_be_refused_gives_no_victims() -> None:
    """E13."""
    low = pod("low", node="n1", priority=-1)
    seen = taken(node("n1"), node("n2"), claim(initialized=False), low)
    victims = {name: wire.Victims((low.uid,), 0) for name in ("n1", "n2")}
    found = answers.preempted(wire.PreemptRequest(pod(), victims), seen)
    assert found == {"n2": victims["n2"]}


def test_victims_make_room_beside_a_reservation() -> None:
    low = pod("low", node="n1", priority=-1, workload=_OTHER)
    mine = pod("mine")
    stranger = pod(workload="default/Deployment/third")
    wide = node("n1", devices=((GPU, 2),))
    seen = taken(wide, claim(), low, mine, fresh=("uid-ws1",))
    assert answers.filtered(stranger, ["n1"], seen).failed
    request = wire.PreemptRequest(stranger, {"n1": wire.Victims((low.uid,), 0)})
    assert answers.preempted(request, seen) == request.victims
