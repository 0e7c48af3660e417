"""Waiting pods gathered."""

import random

from node_provisioner import demand, views
from presets import provision_spec
from tests.node_provisioner import objects

_BIG = provision_spec.ProvisionSpec(("Standard_NC24s_v3",), 4)


def test_pods_of_one_workload_and_spec_are_one_demand_whatever_their_order() -> None:
    pods = [objects.pod_view(f"p{i}") for i in range(5)] + [objects.pod_view("big", spec=_BIG)]
    expected = demand.unmet(pods)
    assert [(d.spec, [p.name for p in d.pods]) for d in expected] == [
        (_BIG, ["big"]),
        (objects.SPEC, ["p0", "p1", "p2", "p3", "p4"]),
    ]
    for seed in range(20):
        random.Random(seed).shuffle(pods)
        assert demand.unmet(pods) == expected


def test_a_pod_with_an_unreadable_spec_is_no_demand_and_is_named() -> None:
    bad = objects.pod_view("bad", metadata={"annotations": {}})
    assert demand.unmet([bad]) == ()
    assert demand.unreadable([bad, objects.pod_view("good")]) == (bad,)


def test_a_pod_that_ends_is_no_member_of_a_gang_that_starts() -> None:
    """Or the gate would be lifted for a half: the one that ends will not start again."""
    gate = {"schedulingGates": [{"name": "kaito.sh/provisioning"}]}
    stamp = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    ending = views.pod(objects.bound("a", "n1", metadata=stamp))
    assert ending is not None
    waiting = objects.pod_view("b", spec_changes=gate)
    (wanted,) = demand.unmet([ending, waiting], {waiting.workload: 2})
    assert wanted.missing == 1
