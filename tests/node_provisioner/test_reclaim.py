"""Which claims nobody needs."""

from dataclasses import replace

import pytest

from kubeapi import api
from node_provisioner import reclaim, stock, supply, views
from tests.node_provisioner import objects

_NODE = objects.node_view("n1", claim="ws1")
_CLAIM = objects.claim_view("ws1", initialized=True, node="n1")


def _bound(**changes: dict[str, object]) -> views.PodView:
    view = views.pod(objects.bound("a", "n1", **changes))
    assert view is not None
    return view


def test_a_node_that_carries_a_pod_is_needed() -> None:
    assert reclaim.needless([_bound()], [_NODE], [_CLAIM], ()) == ()
    assert reclaim.needless([_bound(metadata={"labels": {}})], [_NODE], [_CLAIM], ()) == ()
    assert reclaim.needless([], [_NODE], [_CLAIM], ()) == (_CLAIM,)


def test_pods_that_end_on_a_silent_node_do_not_hold_it() -> None:
    """Its kubelet will never confirm their end, so that nobody else would give the node back."""
    stamp: dict[str, object] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    silent = replace(_NODE, ready=False)
    ending = _bound(metadata=stamp)
    assert reclaim.needless([ending], [silent], [_CLAIM], ()) == (_CLAIM,)
    assert reclaim.needless([ending], [_NODE], [_CLAIM], ()) == ()
    assert reclaim.needless([_bound()], [silent], [_CLAIM], ()) == ()
    raw = objects.bound("a", "n1", metadata=stamp)
    assert reclaim.holds(raw, silent=False)
    assert not reclaim.holds(raw, silent=True)


def test_a_claim_on_which_the_plan_counts_is_needed() -> None:
    (bin_,) = supply.bins((), [_NODE], [_CLAIM], fresh=())
    placed = stock.Placement(objects.pod_view("a"), bin_)
    assert reclaim.needless([], [_NODE], [_CLAIM], [placed]) == ()


def test_a_claim_that_is_going_is_left_alone() -> None:
    assert reclaim.needless([], [], [objects.claim_view(terminating=True)], ()) == ()


@pytest.mark.parametrize(
    ("pod", "holds"),
    [
        pytest.param({"metadata": {}}, True, id="any pod"),
        pytest.param({"metadata": {}, "status": {"phase": "Succeeded"}}, False, id="finished"),
        pytest.param(
            {"metadata": {"ownerReferences": [{"kind": "DaemonSet"}]}}, False, id="daemon"
        ),
        pytest.param(
            {"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}, False, id="static"
        ),
    ],
)
def test_what_every_node_has_does_not_hold_it(
    pod: api.Object,
    holds: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    assert reclaim.holds(pod, silent=True) is holds
