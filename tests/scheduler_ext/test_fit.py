"""Which pods may use which nodes."""

import random
from dataclasses import replace

import pytest

from scheduler_ext import fit, views
from tests.scheduler_ext import objects
from tests.scheduler_ext.objects import candidate, claim, node, pod

_OTHER = "default/Deployment/other"


def code(pod: views.PodView, candidate: fit.Candidate) -> str:
    """Why not; empty: the pod fits."""
    reason = fit.fits(pod, candidate)
    return reason.code if reason else ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "", id="a node of nobody's"),
        pytest.param({"claim": claim()}, "", id="bought and ready"),
        pytest.param(
            {"claim": claim(initialized=False)}, "NodeNotInitialized", id="bought and on its way"
        ),
        pytest.param(
            {"claim": claim(terminating=True)}, "ClaimEnding", id="bought and on its way back"
        ),
        pytest.param({"node": node(registering=True)}, "NodeRegistering", id="Karpenter's, new"),
        pytest.param({"node": node(fault="XIDErrors")}, "GpuFaulty", id="a GPU that is broken"),
        pytest.param({"claim": claim(), "node": node(fault="X")}, "GpuFaulty", id="ours, broken"),
    ],
)
def test_a_pod_of_ours_is_kept_from_nodes_that_would_fail_it(
    changes: dict[str, object], expected: str
) -> None:
    found = candidate(**changes)
    assert code(pod(), found) == expected
    assert code(pod(managed=False), found) == ""


def test_a_new_node_is_kept_for_the_workload_that_it_was_bought_for() -> None:
    kept = candidate(claim=claim(), kept_for=(pod(),))
    assert code(pod("chat-2"), kept) == ""
    assert code(pod("other-1", workload=_OTHER), kept) == "NodeReserved"


def test_what_the_workloads_pods_do_not_need_is_free_for_others() -> None:
    wide = candidate(claim=claim(), kept_for=(pod(),), free={objects.GPU: 3})
    assert code(pod(workload=_OTHER, devices=((objects.GPU, 2),)), wide) == ""
    assert code(pod(workload=_OTHER, devices=((objects.GPU, 3),)), wide) == "NodeReserved"


def test_a_more_urgent_pod_does_not_wait_for_less_urgent_ones() -> None:
    kept = candidate(claim=claim(), kept_for=(pod(priority=5),))
    assert code(pod(workload=_OTHER, priority=5), kept) == "NodeReserved"
    assert code(pod(workload=_OTHER, priority=6), kept) == ""


def test_devices_that_are_not_in_allocatable_are_unknown_and_not_zero() -> None:
    """E26: a DRA driver's devices stand in ResourceSlices; kube-scheduler counts them."""
    assert code(pod(workload=_OTHER), candidate(claim=claim(), kept_for=(pod(),), free={})) == ""


def test_every_refusal_names_its_claim_and_none_names_a_node() -> None:
    """The scheduler counts equal texts: one a claim, never one a node."""
    for changes in ({"initialized": False}, {"terminating": True}):
        texts = {
            fit.fits(pod(), candidate(node=node(name), claim=claim("ws77", **changes)))
            for name in ("n1", "n2")
        }
        (reason,) = texts
        assert reason is not None
        assert "ws77" in reason.sentence


@pytest.mark.parametrize("seed", range(200))
def test_more_free_devices_never_turn_a_fit_into_a_misfit(seed: int) -> None:
    draw = random.Random(seed)
    kept = tuple(pod(f"k{i}", priority=draw.randrange(3)) for i in range(draw.randrange(4)))
    asking = pod(
        workload=draw.choice([_OTHER, "default/Deployment/chat"]),
        priority=draw.randrange(3),
        devices=((objects.GPU, draw.randrange(1, 9)),),
    )
    free = draw.randrange(9)
    less = candidate(
        claim=claim(initialized=draw.random() < 0.9), kept_for=kept, free={objects.GPU: free}
    )
    more = replace(less, free={objects.GPU: free + draw.randrange(1, 5)})
    assert fit.fits(asking, less) is not None or fit.fits(asking, more) is None
