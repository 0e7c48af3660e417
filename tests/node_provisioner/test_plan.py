"""What to buy: examples, and the laws of `plan` on random clusters."""

import random

import pytest

from node_provisioner import demand, offerings, plan, supply, views
from presets import provision_spec
from tests.node_provisioner import objects

_GPU = "nvidia.com/gpu"
_LIMITS = plan.Limits(claims=1000)
_SMALL, _LARGE = "Standard_NC6s_v3", "Standard_NC24s_v3"


def _plan(
    pods: list[views.PodView],
    bins: tuple[supply.Bin, ...] = (),
    limits: plan.Limits = _LIMITS,
    past: plan.Past | None = None,
    existing: int = 0,
) -> plan.Plan:
    return plan.plan(demand.unmet(pods), bins, limits, past or plan.Past(), existing=existing)


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
        (bought,) = _plan(pods, past=plan.Past(barred=offers[:n])).create
        assert bought.offer == offer
    decided = _plan(pods, past=plan.Past(barred=offers))
    assert [left.reason.code for left in decided.unplaced] == ["NodeUnavailable"]


def test_a_type_too_small_for_the_pod_is_passed_over() -> None:
    (bought,) = _plan(_pods(1, spec=_spec(_SMALL, _LARGE, gpus=2))).create
    assert (bought.offer.instance_type, bought.gpus) == (_LARGE, 4)
    decided = _plan(_pods(1, spec=_spec(_SMALL, gpus=2)))
    assert [left.reason.code for left in decided.unplaced] == ["TooManyGpus"]


def test_an_unknown_type_is_trusted_to_hold_one_pod() -> None:
    decided = _plan(_pods(3, spec=_spec("metal-9000", gpus=8)))
    assert [claim.gpus for claim in decided.create] == [8, 8, 8]


def test_the_limit_stops_buying_and_says_so() -> None:
    decided = _plan(_pods(5), limits=plan.Limits(claims=3), existing=1)
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
    return plan.Past(barred={offerings.Offer(rng.choice(_TYPES), "on-demand")})


@pytest.mark.parametrize("seed", range(100))
def test_laws_of_the_plan(seed: int) -> None:
    """Order does not matter, limits and supply hold, nobody is forgotten, no node is needless."""
    rng = random.Random(seed)
    pods, bins, past = _random_pods(rng), _random_bins(rng), _random_past(rng)
    limits = plan.Limits(claims=rng.randrange(8))
    decided = _plan(pods, tuple(bins), limits, past)

    rng.shuffle(pods)
    rng.shuffle(bins)
    assert _plan(pods, tuple(bins), limits, past) == decided

    assert len(decided.create) <= limits.claims
    placed = [p.pod.key for p in decided.placed]
    assert sorted(placed + [u.pod.key for u in decided.unplaced]) == sorted(p.key for p in pods)
    room = {b.name: b.free for b in bins} | {c.name: c.gpus for c in decided.create}
    for found in decided.placed:
        assert found.pod.spec is not None
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
    assert _plan(pods, result, _LIMITS, taken, existing=len(first.create)).create == ()
