"""The cluster as a value, and whom a change of it concerns."""

import random
from dataclasses import replace
from typing import Any

import pytest

from scheduler_ext import fit, snapshot, views
from tests.scheduler_ext.objects import GPU, claim, node, pod, taken

_UNREAD = snapshot.Snapshot(unread=("pods",))


Part = views.PodView | views.NodeView | views.ClaimView


def key(part: Part) -> tuple[type[Part], str]:
    """Kind and name."""
    return type(part), part.key if isinstance(part, views.PodView) else part.name


def opened(before: snapshot.Snapshot, after: snapshot.Snapshot) -> list[tuple[str, str]]:
    """Names of pod and node."""
    found = snapshot.openings(before, after)
    return [(one.pod.key.removeprefix("default/"), one.node) for one in found]


def test_devices_that_pods_hold_are_not_free() -> None:
    seen = taken(node(devices=((GPU, 4),)), pod("a", node="n1"), pod("b", node="n1", managed=False))
    assert seen.candidates["n1"].free == {GPU: 2}


def test_a_claim_is_found_by_the_nodes_label_and_by_its_own_status() -> None:
    by_label = taken(node("n9", claim="ws1"), claim(initialized=False, node=""))
    by_status = taken(node("n1"), claim(initialized=False))
    assert list(by_label.doubtful) == ["n9"]
    assert list(by_status.doubtful) == ["n1"]


def test_a_fresh_node_is_kept_for_the_waiting_pods_that_could_use_it() -> None:
    fits_not = pod("big", instance_types=("another",))
    parts = (node(), claim(), pod("mine"), fits_not, pod("bound", node="n2"))
    kept = taken(*parts, fresh=("uid-ws1",)).candidates["n1"].kept_for
    assert [one.key for one in kept] == ["default/mine"]
    assert taken(*parts).candidates["n1"].kept_for == ()


def test_a_node_whose_claim_is_gone_is_like_any_other() -> None:
    assert not taken(node(claim="ws-gone")).doubtful


def test_pods_that_a_node_becomes_ready_for_are_tried_again() -> None:
    """E18: that the claim is initialized is nothing that kube-scheduler sees."""
    before = taken(node(), claim(initialized=False), pod())
    after = taken(node(), claim(), pod())
    assert opened(before, after) == [("chat-1", "n1")]
    assert opened(after, after) == []
    assert opened(before, before) == []


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        pytest.param((), ["n1"], id="a waiting pod could go there"),
        pytest.param((node(marker="1k"),), [], id="it is marked"),
        pytest.param((node(devices=()),), [], id="it has not reported the device"),
        pytest.param((pod("b", node="n1"),), [], id="another pod holds the device"),
        pytest.param((node(instance_type="another"),), [], id="the pod may not use the type"),
        pytest.param((node(fault="XIDErrors"),), [], id="a GPU does not work"),
        pytest.param((claim(initialized=False),), [], id="it is on its way"),
        pytest.param((claim(node=""),), [], id="nobody of ours bought it"),
        pytest.param((pod(marked=False),), [], id="the pod has no marker"),
        pytest.param((pod(gated=True),), [], id="the pod is gated"),
        pytest.param((pod(node="n9"),), [], id="nobody waits"),
        pytest.param((node(marker="0", devices=()), pod(node="n9")), ["n1"], id="it was zeroed"),
        pytest.param((node(marker="0"), claim(node="")), [], id="another's was zeroed"),
    ],
)
def test_a_node_of_ours_is_marked_when_a_waiting_pod_could_go_there(
    parts: tuple[Part, ...], names: list[str]
) -> None:
    """E29; each case bends one node, claim or pod of a cluster in which the node is marked."""
    bent = {key(part): part for part in (node(), claim(), pod(), *parts)}
    assert list(snapshot.unmarked(taken(*bent.values()))) == names


def test_a_node_that_is_kept_for_its_claims_pods_is_marked_for_them() -> None:
    kept = taken(node(), claim(), pod(), fresh=("uid-ws1",))
    assert kept.doubtful
    assert list(snapshot.unmarked(kept)) == ["n1"]


def test_as_many_are_tried_as_the_node_can_take_the_most_urgent_first() -> None:
    pods = (pod("c"), pod("b", created="2025"), pod("a", priority=1))
    wide = node(devices=((GPU, 2),))
    before, after = taken(wide, claim(initialized=False), *pods), taken(wide, claim(), *pods)
    assert opened(before, after) == [("a", "n1"), ("b", "n1")]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"marked": False}, id="another scheduler's"),
        pytest.param({"gated": True}, id="behind a gate"),
        pytest.param({"instance_types": ("another",)}, id="for another machine"),
        pytest.param({"devices": ((GPU, 2),)}, id="too large"),
        pytest.param({"node": "n2"}, id="bound"),
    ],
)
def test_a_pod_that_would_not_go_there_is_left_alone(changes: dict[str, Any]) -> None:
    before = taken(node(), claim(initialized=False), pod(**changes))
    assert opened(before, taken(node(), claim(), pod(**changes))) == []


def test_when_a_reservation_ends_the_others_are_tried_again() -> None:
    """E18, by the clock alone."""
    parts = (node(), claim(), pod("mine"), pod("other", workload="default/Deployment/other"))
    before, after = taken(*parts, fresh=("uid-ws1",)), taken(*parts)
    assert opened(before, after) == [("other", "n1")]


def test_what_waited_for_the_first_look_is_tried_again() -> None:
    """E7: the answer until then was to wait."""
    assert opened(_UNREAD, taken(node(), pod())) == [("chat-1", "n1")]
    assert opened(taken(node(), pod()), _UNREAD) == []


def test_a_node_that_went_opens_nothing() -> None:
    assert opened(taken(node(), claim(initialized=False), pod()), taken(claim(), pod())) == []


@pytest.mark.parametrize("seed", range(100))
def test_a_pod_is_tried_again_exactly_where_its_answer_changed_for_the_better(seed: int) -> None:
    draw = random.Random(seed)
    nodes = [node(f"n{i}", devices=((GPU, draw.randrange(1, 4)),)) for i in range(4)]
    claims = [
        claim(f"ws{i}", node=f"n{i}", initialized=draw.random() < 0.5)
        for i in range(draw.randrange(5))
    ]
    pods = [pod(f"p{i}", workload=f"ns/Deployment/{i % 2}") for i in range(draw.randrange(6))]
    before = taken(*nodes, *claims, *pods)
    after = taken(*nodes, *(replace(c, initialized=True) for c in claims), *pods)
    for one in snapshot.openings(before, after):
        assert fit.fits(one.pod, before.candidates[one.node]) is not None
        assert fit.fits(one.pod, after.candidates[one.node]) is None
    room = sum(dict(n.devices)[GPU] for n in nodes if n.name in before.doubtful)
    assert len(list(snapshot.openings(before, after))) == min(room, len(pods))
