"""What is counted of claims and pods."""

from node_provisioner import metrics, upkeep, views
from tests.node_provisioner import objects


def _seen(pods: list[views.PodView], claims: list[views.ClaimView]) -> upkeep.Seen:
    return upkeep.Seen(tuple(pods), (), tuple(claims))


def _lines(counted: metrics.Metrics) -> set[str]:
    return {line for line in counted.render().splitlines() if not line.startswith("#")}


def test_states_and_cost_are_those_of_the_claims_there_are() -> None:
    counted = metrics.Metrics()
    usable = objects.claim_view("ws1", initialized=True)
    claims = [usable, objects.claim_view("ws2"), objects.claim_view("ws3", terminating=True)]
    counted.look(_seen([objects.pod_view("a")], claims), now=0.0)
    assert _lines(counted) >= {
        'plainsail_provisioner_claims{state="launching"} 1',
        'plainsail_provisioner_claims{state="usable"} 1',
        'plainsail_provisioner_claims{state="ending"} 1',
        "plainsail_provisioner_dollars_per_hour 9.18",
        "plainsail_provisioner_waiting_pods 1",
        "plainsail_provisioner_leader 1",
    }


def test_the_wait_of_a_pod_is_from_its_refusal_to_its_node() -> None:
    counted = metrics.Metrics()
    counted.look(_seen([objects.pod_view("a")], []), now=100.0)
    counted.look(_seen([objects.pod_view("a", status={"conditions": []})], []), now=110.0)
    bound = views.pod(objects.bound("a", "n1"))
    assert bound is not None
    for now in (120.0, 130.0):
        counted.look(_seen([bound], []), now)
    assert _lines(counted) >= {
        "plainsail_provisioner_bound_seconds_sum 20",
        "plainsail_provisioner_bound_seconds_count 1",
    }


def test_a_claim_becomes_usable_once_and_not_at_our_start() -> None:
    counted = metrics.Metrics()
    old, new = objects.claim_view("ws1", initialized=True), objects.claim_view("ws2")
    counted.look(_seen([], [old, new]), now=0.0)
    for now in (1.0, 2.0):
        ready = objects.claim_view("ws2", initialized=True)
        counted.look(_seen([], [old, ready]), now)
    counted.count("refused_quota")
    assert _lines(counted) >= {
        'plainsail_provisioner_claims_total{outcome="initialized"} 1',
        'plainsail_provisioner_claims_total{outcome="refused_quota"} 1',
    }


def test_who_no_longer_leads_tells_of_no_claims_and_pods() -> None:
    """Or two planners would tell of the same claims, one of them for ever of old ones."""
    counted = metrics.Metrics()
    counted.look(_seen([objects.pod_view("a")], [objects.claim_view("ws1")]), now=0.0)
    counted.leaked, counted.leads = 1, False
    counted.count("created")
    counted.rest()
    assert _lines(counted) >= {
        'plainsail_provisioner_claims_total{outcome="created"} 1',
        "plainsail_provisioner_dollars_per_hour 0",
        "plainsail_provisioner_leader 0",
        "plainsail_provisioner_leaked_nodes 0",
        "plainsail_provisioner_waiting_pods 0",
    }
    assert not any(line.startswith("plainsail_provisioner_claims{") for line in _lines(counted))
