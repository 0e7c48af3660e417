"""What to buy: examples, and the laws of `plan` on random clusters."""

import random
from dataclasses import replace
from typing import Any

import pytest

from node_provisioner import demand, limits, offerings, plan, reasons, rules, stock, supply, views
from presets import provision_spec
from tests.node_provisioner import objects

_GPU = "nvidia.com/gpu"
_LIMITS = limits.Limits(claims=1000)
_SMALL, _LARGE = "Standard_NC6s_v3", "Standard_NC24s_v3"


def _plan(
    pods: list[views.PodView],
    bins: tuple[supply.Bin, ...] = (),
    allowed: limits.Limits = _LIMITS,
    past: plan.Past | None = None,
    existing: tuple[views.ClaimView, ...] = (),
) -> plan.Plan:
    return plan.plan(demand.unmet(pods), bins, allowed, past or plan.Past(), existing=existing)


def _pods(count: int, **changes: object) -> list[views.PodView]:
    return [objects.pod_view(f"p{i}", **changes) for i in range(count)]


def _spec(*types: str, gpus: int = 1, capacity: tuple[str, ...] = ("on-demand",)) -> object:
    return provision_spec.ProvisionSpec(types, gpus, capacity_types=capacity)


def test_one_pod_and_no_node_buys_one_node() -> None:
    decided = _plan(_pods(1))
    (bought,) = decided.create
    assert bought.offer == offerings.Offer(_SMALL, "on-demand")
    assert (bought.resource, bought.gpus, bought.attempt) == (_GPU, 1, 0)
    assert [placed.bin.claim for placed in decided.placed] == [bought.name]


def test_two_hundred_replicas_buy_exactly_as_many_nodes_as_they_fill() -> None:
    decided = _plan(_pods(200, spec=_spec(_LARGE)))
    assert len(decided.create) == 50
    assert len({claim.name for claim in decided.create}) == 50


def test_what_is_on_its_way_is_not_bought_again() -> None:
    coming = supply.Bin("ws1", "", _SMALL, _GPU, 1)
    decided = _plan(_pods(3), (coming,))
    assert len(decided.create) == 2


def test_a_workload_takes_what_was_bought_for_it_first() -> None:
    """So that what is bought next is bought for whoever lacks it."""

    def pod_of(name: str) -> views.PodView:
        owner = {"kind": "StatefulSet", "name": name, "controller": True}
        return objects.pod_view(name, metadata={"ownerReferences": [owner]})

    coming = supply.Bin("ws1", "", _SMALL, _GPU, 1, workload="default/StatefulSet/z")
    decided = _plan([pod_of("a"), pod_of("z")], (coming,))
    assert [claim.workload.name for claim in decided.create] == ["a"]
    assert {p.pod.name: p.bin.claim for p in decided.placed}["z"] == "ws1"


def test_supply_of_another_type_or_resource_is_no_supply() -> None:
    bins = (supply.Bin("ws1", "", _LARGE, _GPU, 4), supply.Bin("", "n1", _SMALL, "amd.com/gpu", 4))
    assert len(_plan(_pods(1), bins).create) == 1


def test_the_first_offer_that_is_not_barred_is_bought() -> None:
    pods = _pods(1, spec=_spec(_SMALL, _LARGE, capacity=("spot", "on-demand")))
    wanted = [(_SMALL, "spot"), (_SMALL, "on-demand"), (_LARGE, "spot"), (_LARGE, "on-demand")]
    offers = [offerings.Offer(*offer) for offer in wanted]
    for n, offer in enumerate(offers):
        (bought,) = _plan(pods, past=plan.Past(barred=dict.fromkeys(offers[:n], ""))).create
        assert bought.offer == offer
    decided = _plan(pods, past=plan.Past(barred=dict.fromkeys(offers, "no capacity")))
    assert [left.reason.code for left in decided.unplaced] == ["NodeUnavailable"]


def test_a_type_too_small_for_the_pod_is_passed_over() -> None:
    (bought,) = _plan(_pods(1, spec=_spec(_SMALL, _LARGE, gpus=2))).create
    assert (bought.offer.instance_type, bought.gpus) == (_LARGE, 4)
    decided = _plan(_pods(1, spec=_spec(_SMALL, gpus=2)))
    assert [left.reason.code for left in decided.unplaced] == ["NoOffer"]


def test_an_unknown_type_is_trusted_to_hold_one_pod() -> None:
    decided = _plan(_pods(3, spec=_spec("metal-9000", gpus=8)))
    assert [claim.gpus for claim in decided.create] == [8, 8, 8]


def test_the_limit_stops_buying_and_says_so() -> None:
    one = (objects.claim_view(workload="other/Deployment/x"),)
    decided = _plan(_pods(5), allowed=limits.Limits(claims=3), existing=one)
    assert len(decided.create) == 2
    assert {left.reason.code for left in decided.unplaced} == {"ClaimLimitReached"}
    assert len(decided.unplaced) == 3


def test_a_pod_without_gpus_buys_nothing() -> None:
    decided = _plan(_pods(1, spec=_spec(_SMALL, gpus=0)))
    assert [left.reason.code for left in decided.unplaced] == ["NothingToBuy"]


def test_a_name_that_is_taken_is_passed_over() -> None:
    (first,) = _plan(_pods(1)).create
    (second,) = _plan(_pods(1), past=plan.Past(taken={first.name})).create
    assert second.name != first.name


def test_a_new_attempt_has_a_new_name() -> None:
    (first,) = _plan(_pods(1)).create
    past = plan.Past(attempts={"default/Deployment/chat": 1})
    (second,) = _plan(_pods(1), past=past).create
    assert (first.attempt, second.attempt) == (0, 1)
    assert first.name != second.name


_DEPLOYMENT = "default/Deployment/chat"


@pytest.mark.parametrize(
    ("allowed", "code"),
    [
        (limits.Limits(100, per_namespace=2), "NamespaceLimitReached"),
        (limits.Limits(100, per_workload=2), "WorkloadLimitReached"),
        (limits.Limits(100, per_hour=9_500_000), "PriceLimitReached"),
    ],
)
def test_each_limit_counts_what_exists_and_says_so(allowed: limits.Limits, code: str) -> None:
    """A Standard_NC6s_v3 costs $3.06 an hour: one exists, two more make $9.18."""
    decided = _plan(_pods(5), allowed=allowed, existing=(objects.claim_view("ws1"),))
    assert len(decided.create) == (2 if code == "PriceLimitReached" else 1)
    assert {left.reason.code for left in decided.unplaced} == {code}


def test_a_limit_of_one_workload_or_namespace_is_none_of_anothers() -> None:
    elsewhere = (objects.claim_view(workload="other/Deployment/chat"),) * 9
    allowed = limits.Limits(100, per_namespace=1, per_workload=1)
    assert len(_plan(_pods(1), allowed=allowed, existing=elsewhere).create) == 1


def test_what_has_no_known_price_is_not_bought_under_a_limit_of_the_price() -> None:
    decided = _plan(_pods(1, spec=_spec("metal-9000")), allowed=limits.Limits(9, per_hour=10**9))
    assert [left.reason.code for left in decided.unplaced] == ["PriceUnknown"]


def test_zones_that_the_pod_names_are_tried_one_after_the_other_before_on_demand() -> None:
    zones = {"key": rules.ZONE, "operator": "In", "values": ["b", "a"]}
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [zones]}]
        }
    }
    placed = {"affinity": {"nodeAffinity": affinity}}
    spec = _spec(_SMALL, capacity=("spot", "on-demand"))
    pods = [objects.pod_view("p", spec=spec, spec_changes=placed)]
    barred: dict[offerings.Offer, str] = {}
    for expected in (("spot", "b"), ("spot", "a"), ("on-demand", "b"), ("on-demand", "a")):
        (bought,) = _plan(pods, past=plan.Past(barred=dict(barred))).create
        assert (bought.offer.capacity_type, bought.offer.zone) == expected
        barred[bought.offer] = "no capacity"
    decided = _plan(pods, past=plan.Past(barred={offerings.Offer(_SMALL, "spot"): "quota"}))
    assert decided.create[0].offer.capacity_type == "on-demand"


def test_an_offer_on_which_the_pod_may_not_run_is_not_bought() -> None:
    placed = {"nodeSelector": {rules.CAPACITY_TYPE: "on-demand"}}
    spec = _spec(_SMALL, capacity=("spot", "on-demand"))
    (bought,) = _plan([objects.pod_view("p", spec=spec, spec_changes=placed)]).create
    assert bought.offer.capacity_type == "on-demand"
    placed = {"nodeSelector": {"kubernetes.io/os": "windows"}}
    decided = _plan([objects.pod_view("p", spec=spec, spec_changes=placed)])
    assert [left.reason.code for left in decided.unplaced] == ["NoOffer"]


def test_an_offer_that_was_refused_before_is_tried_with_one_claim_at_a_time() -> None:
    past = plan.Past(probed={objects.OFFER})
    assert len(_plan(_pods(5), past=past).create) == 1
    launching = (objects.claim_view("ws1", workload="a/b/c"),)
    assert _plan(_pods(5), past=past, existing=launching).create == ()
    launched = (objects.claim_view("ws1", workload="a/b/c", launched=True),)
    assert len(_plan(_pods(5), past=past, existing=launched).create) == 1


def test_a_pause_stops_buying_and_says_why_until_one_claim_finds_out() -> None:
    pause = reasons.paused("no node class")
    decided = _plan(_pods(2), past=plan.Past(pause=pause))
    assert (decided.create, {u.reason for u in decided.unplaced}) == ((), {pause})
    careful = plan.Past(pause=pause, careful=True)
    assert len(_plan(_pods(2), past=careful).create) == 1


def test_what_the_scheduler_has_not_judged_uses_what_is_there_and_buys_nothing() -> None:
    pods = _pods(2, status={"conditions": []})
    coming = supply.Bin("ws1", "", _SMALL, _GPU, 1)
    decided = _plan(pods, (coming,))
    assert (decided.create, len(decided.placed), decided.unplaced) == ((), 1, ())


def test_workloads_that_every_order_serves_alike_are_planned_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand workloads that ask for the same node cost one plan, not three."""
    made: list[object] = []

    class Counted(stock.Stock):
        def __init__(self, *of: Any) -> None:
            made.append(self)
            super().__init__(*of)

    monkeypatch.setattr(stock, "Stock", Counted)
    anothers: dict[str, Any] = {"ownerReferences": []}
    alike = [*_pods(1), objects.pod_view("z", metadata=anothers)]
    assert len(_plan(alike).create) == 2
    assert len(made) == 1
    dearer = objects.pod_view("zz", spec=_spec(_LARGE, _SMALL), metadata=anothers)
    _plan([*alike, dearer])
    assert len(made) == 1 + 2


# Nodes that are there.


def _node_bin(name: str, **changes: object) -> supply.Bin:
    bins = supply.bins((), [objects.node_view(name, **changes)], (), fresh=(name,))
    return bins[0]


def test_a_users_own_node_is_used_before_any_is_bought_and_mixed_with_bought_ones() -> None:
    decided = _plan(_pods(3), (_node_bin("own"),))
    assert next(placed.bin.node for placed in decided.placed) == "own"
    assert len(decided.create) == 2


def test_a_node_that_the_scheduler_had_time_to_use_is_no_help_to_whom_it_refused() -> None:
    settled = replace(_node_bin("own"), settled=True)
    assert len(_plan(_pods(1), (settled,)).create) == 1
    gated = _pods(1, spec_changes={"schedulingGates": [{"name": "kaito.sh/provisioning"}]})
    assert _plan(gated, (settled,)).create == ()


def test_a_node_bought_for_the_workload_is_not_bought_again_though_it_stays_unused() -> None:
    """Whatever keeps the pod off it would keep it off the next one."""
    settled = replace(_node_bin("n1"), settled=True, claim="ws1", workload=_DEPLOYMENT)
    decided = _plan(_pods(1), (settled,))
    assert (decided.create, len(decided.placed)) == ((), 1)


def test_labels_and_taints_decide_whether_a_node_will_do() -> None:
    wrong_type = ((rules.INSTANCE_TYPE, "m5.large"),)
    assert len(_plan(_pods(1), (_node_bin("n1", labels=wrong_type),)).create) == 1
    assert len(_plan(_pods(1), (_node_bin("n1", labels=()),)).create) == 1
    tainted = _node_bin("n1", taints=(("team", "b", "NoSchedule"),))
    assert len(_plan(_pods(1), (tainted,)).create) == 1


# Gangs.

_GATE = {"schedulingGates": [{"name": "kaito.sh/provisioning"}]}
_CHAT = views.Workload("default", "Deployment", "chat")


def _gang(
    count: int,
    expected: int,
    bins: tuple[supply.Bin, ...] = (),
    allowed: limits.Limits = _LIMITS,
    past: plan.Past | None = None,
    existing: tuple[views.ClaimView, ...] = (),
) -> plan.Plan:
    demands = demand.unmet(_pods(count, spec_changes=_GATE), {_CHAT: expected})
    return plan.plan(demands, bins, allowed, past or plan.Past(), existing=existing)


def test_a_gang_waits_until_all_its_pods_are_there() -> None:
    decided = _gang(2, expected=3)
    assert (decided.create, decided.admit) == ((), ())
    assert {left.reason.code for left in decided.unplaced} == {"PodsAwaited"}


def test_a_gang_gets_all_its_nodes_or_none() -> None:
    assert len(_gang(3, expected=3).create) == 3
    decided = _gang(3, expected=3, allowed=limits.Limits(2))
    assert (decided.create, decided.placed, decided.admit) == ((), (), ())
    assert {left.reason.code for left in decided.unplaced} == {"NodesUnavailable"}


@pytest.mark.parametrize("count", [1, 2])
def test_a_model_over_several_nodes_gets_them_all_in_one_plan_or_none(count: int) -> None:
    """Its pods say how many they are; one that was scaled down buys nothing."""
    spec = provision_spec.ProvisionSpec((_LARGE,), 4, nodes=2)
    pods = _pods(count, spec=spec, spec_changes=_GATE)
    decided = _plan(pods)
    assert [claim.gpus for claim in decided.create] == ([4, 4] if count == 2 else [])
    left = {left.reason.code for left in decided.unplaced}
    assert left == (set() if count == 2 else {"PodsAwaited"})
    assert _plan(pods, allowed=limits.Limits(1)).create == ()


def test_one_pod_of_several_that_is_made_again_waits_for_its_own_node_alone() -> None:
    spec = provision_spec.ProvisionSpec((_LARGE,), 4, nodes=2)
    runs = views.pod(objects.bound("p0", "n0", spec=spec))
    assert runs is not None
    again = objects.pod_view("p1", spec=spec, spec_changes=_GATE)
    there = supply.Bin("ws1", "n1", _LARGE, _GPU, 4)
    assert _plan([runs, again], (there,)).admit == (again,)


def test_a_gang_that_gets_none_leaves_everything_to_others() -> None:
    other = objects.pod_view("z", metadata={"ownerReferences": [], "creationTimestamp": "9"})
    demands = demand.unmet([*_pods(3, spec_changes=_GATE), other], {_CHAT: 3})
    decided = plan.plan(demands, (), limits.Limits(2), plan.Past())
    assert [claim.workload.name for claim in decided.create] == ["z"]


@pytest.mark.parametrize(
    "past",
    [
        plan.Past(probed={objects.OFFER}),
        plan.Past(pause=reasons.paused("no node class"), careful=True),
    ],
    ids=["offer", "pause"],
)
def test_a_gang_finds_out_with_one_claim_whether_it_can_have_them_all(past: plan.Past) -> None:
    """Or it would wait for ever for an offer that is tried with one claim at a time."""
    first = _gang(3, 3, past=past)
    (probe,) = first.create
    assert (len(first.placed), len(first.unplaced), first.admit) == (1, 2, ())
    launching = objects.claim_view(probe.name, workload=_DEPLOYMENT)
    coming = (plan.expected(probe),)
    meanwhile = _gang(3, 3, coming, past=past, existing=(launching,))
    assert (meanwhile.create, len(meanwhile.placed)) == ((), 1), "it is not given back"
    launched = (replace(launching, launched=True),)
    assert len(_gang(3, 3, coming, existing=launched).create) == 2


def test_a_gang_that_tries_with_one_claim_uses_the_name_of_its_first() -> None:
    """What was planned for all and taken back is free again: the next pass names it so too."""
    (probe,) = _gang(3, 3, past=plan.Past(probed={objects.OFFER})).create
    assert probe.name == _gang(3, 3).create[0].name


def test_a_gang_without_room_for_all_does_not_try_with_one() -> None:
    probed = plan.Past(probed={objects.OFFER})
    assert _gang(3, 3, allowed=limits.Limits(0), past=probed).create == ()
    assert _gang(3, 3, allowed=limits.Limits(2), past=plan.Past(careful=True)).create == ()


def test_a_gang_starts_when_every_node_is_there_and_not_before() -> None:
    there = tuple(_node_bin(f"n{i}") for i in range(2))
    coming = supply.Bin("ws1", "", _SMALL, _GPU, 1)
    assert _gang(3, 3, (*there, coming)).admit == ()
    assert len(_gang(3, 3, (*there, _node_bin("n2"))).admit) == 3


# Laws, on random clusters.

_TYPES = ("Standard_NC6s_v3", "Standard_NC12s_v3", "Standard_NC24s_v3", "metal-9000")


def _random_pods(rng: random.Random, same: tuple[str, ...] | None = None) -> list[views.PodView]:
    pods = []
    for i in range(rng.randrange(12)):
        types = same or tuple(rng.sample(_TYPES, rng.randrange(1, 4)))
        spec = provision_spec.ProvisionSpec(types, rng.choice((1, 1, 2, 4)))
        owner = {"kind": "StatefulSet", "name": rng.choice("abc"), "controller": True}
        pods.append(objects.pod_view(f"p{i}", spec=spec, metadata={"ownerReferences": [owner]}))
    return pods


def _random_bins(rng: random.Random) -> list[supply.Bin]:
    def random_bin(i: int) -> supply.Bin:
        node, bought_for = rng.choice(("", f"n{i}")), f"default/StatefulSet/{rng.choice('abcx')}"
        return supply.Bin(
            f"ws{i}", node, rng.choice(_TYPES), _GPU, rng.randrange(-1, 5), bought_for
        )

    return [random_bin(i) for i in range(rng.randrange(6))]


def _random_past(rng: random.Random) -> plan.Past:
    return plan.Past(barred={offerings.Offer(rng.choice(_TYPES), "on-demand"): ""})


@pytest.mark.parametrize("seed", range(100))
def test_laws_of_the_plan(seed: int) -> None:
    """Order does not matter, limits and supply hold, nobody is forgotten, no node is needless."""
    rng = random.Random(seed)
    pods, bins, past = _random_pods(rng), _random_bins(rng), _random_past(rng)
    allowed = limits.Limits(claims=rng.randrange(8))
    decided = _plan(pods, tuple(bins), allowed, past)

    rng.shuffle(pods)
    rng.shuffle(bins)
    assert _plan(pods, tuple(bins), allowed, past) == decided

    assert len(decided.create) <= allowed.claims
    placed = [p.pod.key for p in decided.placed]
    assert sorted(placed + [u.pod.key for u in decided.unplaced]) == sorted(p.key for p in pods)
    room = {b.name: b.free for b in bins} | {c.name: c.gpus for c in decided.create}
    for found in decided.placed:
        assert found.pod.spec is not None
        assert found.bin.instance_type in found.pod.spec.instance_types
        room[found.bin.name] -= found.pod.spec.gpus
    assert all(
        left >= 0 for name, left in room.items() if name in {p.bin.name for p in decided.placed}
    )
    used = {p.bin.name for p in decided.placed}
    assert all(claim.name in used for claim in decided.create)


@pytest.mark.parametrize("seed", range(100))
def test_planning_its_own_result_adds_nothing(seed: int) -> None:
    """As long as the pods that share an instance type accept the same ones."""
    rng = random.Random(seed)
    types = tuple(rng.sample(_TYPES, rng.randrange(1, 4)))
    pods, bins, past = _random_pods(rng, types), _random_bins(rng), _random_past(rng)
    first = _plan(pods, tuple(bins), _LIMITS, past)
    result = (*bins, *(plan.expected(claim) for claim in first.create))
    taken = plan.Past({claim.name for claim in first.create}, past.barred)
    assert _plan(pods, result, _LIMITS, taken).create == ()
