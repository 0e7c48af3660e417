"""Offers: order, prices and the reason of every machine that is none, with a stand-in for sizing.

The machines: `small`, `big` and `double` of one cloud, `other` of another, `own` of Arc, `tpu` of
another vendor, `arm` with other processors, `gone` that is no longer sold, `unpriced`. The stand-in
lays a model out on a machine with 20 GiB, and on two where it has two GPUs.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from presets import catalog, gpus, money, offers, prices, sizing

GIB = 2**30
MODEL = catalog.load().find("tiny-chat")
SERVE = sizing.Serve()
A100 = gpus.INSTANCE_TYPES["Standard_NC24ads_A100_v4"]


def machine(name: str, cloud: str = "azure", memory_gib: int = 24) -> gpus.InstanceType:
    memory = memory_gib * GIB
    return replace(A100, name=name, cloud=cloud, gpu_memory_bytes=memory, local=False)


MACHINES = {
    one.name: one
    for one in (
        machine("small", memory_gib=16),
        machine("big"),
        replace(machine("double"), gpus=2, local=True),
        machine("other", "aws"),
        machine("own", "arc"),
        replace(machine("tpu", "gcp"), model=gpus.GPUS["Google TPU v5e"]),
        replace(machine("arm", "aws"), architecture="arm64"),
        replace(machine("gone"), status="removed", notes="retired in 2025"),
        machine("unpriced"),
    )
}


def priced(*rows: tuple[str, str, int]) -> prices.PriceList:
    return prices.PriceList(
        prices.Price(name, dollars * money.MICRODOLLARS, capacity, "here", "2026", "test")
        for name, capacity, dollars in rows
    )


TABLE = priced(
    *((name, "on-demand", 4) for name in ("small", "big", "other", "own", "tpu", "arm", "gone")),
    ("double", "on-demand", 3),
    ("big", "spot", 1),
    ("other", "spot", 2),
)


def fit(one: gpus.InstanceType) -> sizing.Layout | sizing.Misfit:
    """The real layout of a model that fits anywhere, with the nodes of the stand-in."""
    assert MODEL is not None
    found = sizing.fit(MODEL, A100, SERVE)
    assert isinstance(found, sizing.Layout)
    if one.gpu_memory_bytes < 20 * GIB:
        reason = sizing.Reason("TooLittleMemory", "it needs 20 GiB")
        return sizing.Misfit((reason,), found.bill, 1, 20 * GIB, (7, 0))
    return replace(found, nodes=one.gpus)


def choose(machines: Sequence[str] = tuple(MACHINES), **wanted: object) -> offers.Choice:
    assert MODEL is not None
    return offers.choose(
        MODEL,
        SERVE,
        offers.Wanted(**wanted),  # type: ignore[arg-type]  # the tests' own keywords, one at a time
        table=TABLE,
        machines={name: MACHINES[name] for name in machines},
        fit=fit,
    )


def shown(choice: offers.Choice) -> list[str]:
    return [
        f"{one.instance_type.name} {one.capacity_type} {prices.shown(one.per_hour)}"
        for one in choice.offers
    ]


def reasons(choice: offers.Choice) -> dict[str, str]:
    return {
        f"{one.instance_type} {one.capacity_type}".strip(): one.reason for one in choice.dropped
    }


def test_the_cheapest_comes_first_and_the_unknown_last() -> None:
    assert shown(choose()) == [
        "big on-demand $4.00/h",
        "other on-demand $4.00/h",
        "own on-demand $4.00/h",
        "tpu on-demand $4.00/h",
        "double on-demand $6.00/h",
        "unpriced on-demand unknown",
    ]


def test_every_machine_that_is_no_offer_has_a_reason() -> None:
    assert choose().dropped == (
        offers.Dropped("arm", "WrongArchitecture", "has arm64 processors, the image is for amd64"),
        offers.Dropped(
            "gone", "RemovedInstanceType", "is no longer sold by azure: retired in 2025"
        ),
        offers.Dropped("small", "DoesNotFit", "it needs 20 GiB"),
    )


def test_the_users_order_wins_over_the_price() -> None:
    found = choose(instance_types=("double", "own", "big"))
    assert [one.instance_type.name for one in found.offers] == ["double", "own", "big"]
    assert found.dropped == ()


def test_the_cheapest_is_known_in_any_order() -> None:
    found = choose(instance_types=("unpriced", "double", "own"))
    assert found.cheapest is not None
    assert found.cheapest.instance_type.name == "own"
    assert choose(instance_types=("unpriced",)).cheapest is None


def test_a_machine_that_is_no_longer_sold_is_offered_to_who_names_it() -> None:
    assert shown(choose(instance_types=("gone",))) == ["gone on-demand $4.00/h"]


def test_a_name_that_nobody_knows_is_said_and_named_once() -> None:
    found = choose(instance_types=("nosuch", "big", "big", "nosuch"))
    assert shown(found) == ["big on-demand $4.00/h"]
    assert found.dropped == (
        offers.Dropped("nosuch", "UnknownInstanceType", "no instance type of that name is known"),
    )


def test_nodes_multiply_the_price() -> None:
    (found,) = choose(instance_types=("double",)).offers
    assert found.price is not None
    assert (found.layout.nodes, found.price.microdollars_per_hour) == (2, 3_000_000)
    assert found.per_hour == 6_000_000


def test_a_limit_drops_the_dearer_and_the_unknown() -> None:
    found = choose(("big", "double", "unpriced"), most_per_hour=4_000_000)
    assert shown(found) == ["big on-demand $4.00/h"]
    assert found.dropped == (
        offers.Dropped(
            "unpriced",
            "PriceUnknown",
            "its on-demand price is unknown, and $4.00/h is the limit",
            "on-demand",
        ),
        offers.Dropped(
            "double",
            "AbovePriceLimit",
            "costs $6.00/h for 2 machines on-demand, the limit is $4.00/h",
            "on-demand",
        ),
    )


def test_spot_and_on_demand_compete_by_price() -> None:
    found = choose(("big", "other", "own"), capacity_types=("spot", "on-demand"))
    assert shown(found) == [
        "big spot $1.00/h",
        "other spot $2.00/h",
        "big on-demand $4.00/h",
        "other on-demand $4.00/h",
        "own on-demand $4.00/h",
    ]
    assert reasons(found) == {"own spot": "NoSuchCapacity"}


def test_of_a_listed_type_the_preferred_capacity_comes_first() -> None:
    found = choose(instance_types=("other", "big"), capacity_types=("on-demand", "spot"))
    assert shown(found) == [
        "other on-demand $4.00/h",
        "other spot $2.00/h",
        "big on-demand $4.00/h",
        "big spot $1.00/h",
    ]


def test_one_cloud_is_asked_for() -> None:
    found = choose(("big", "other", "own"), cloud="aws")
    assert [one.instance_type.name for one in found.offers] == ["other"]
    assert found.dropped[0] == offers.Dropped("big", "WrongCloud", "is sold by azure, not by aws")


def test_the_local_cluster_sells_what_it_simulates() -> None:
    found = choose(("big", "double"), cloud="local")
    assert [one.instance_type.name for one in found.offers] == ["double"]
    assert reasons(found) == {"big": "WrongCloud"}


def test_one_vendor_is_asked_for() -> None:
    found = choose(("big", "tpu"), vendor="google")
    assert [one.instance_type.name for one in found.offers] == ["tpu"]
    assert found.dropped == (
        offers.Dropped("big", "WrongVendor", "has NVIDIA A100 80GB, which is not made by google"),
    )


def test_other_processors_are_offered_to_who_asks() -> None:
    assert shown(choose(("arm",), architecture="")) == ["arm on-demand $4.00/h"]


def test_a_region_without_price_leaves_it_unknown() -> None:
    assert shown(choose(("big",), region="elsewhere")) == ["big on-demand unknown"]


def test_the_answer_does_not_depend_on_the_order_of_the_machines() -> None:
    straight = choose(capacity_types=("spot", "on-demand"))
    for seed in range(50):
        shuffled = random.Random(seed).sample(list(MACHINES), len(MACHINES))
        assert choose(shuffled, capacity_types=("spot", "on-demand")) == straight


def test_every_machine_is_either_offered_or_dropped() -> None:
    for seed in range(200):
        draw = random.Random(seed)
        listed = tuple(draw.sample(list(MACHINES), draw.randrange(len(MACHINES))))
        capacities = tuple(draw.sample(prices.CAPACITY_TYPES, draw.randint(1, 2)))
        limit = draw.choice([None, 2_000_000, 4_000_000])
        cloud = draw.choice(["", "azure", "local"])
        found = choose(
            instance_types=listed, capacity_types=capacities, most_per_hour=limit, cloud=cloud
        )
        answered = {one.instance_type.name for one in found.offers} | {
            one.instance_type for one in found.dropped
        }
        assert answered == set(listed or MACHINES)
        assert all(limit is None or (one.per_hour or limit + 1) <= limit for one in found.offers)


def test_a_higher_limit_never_loses_an_offer() -> None:
    known: set[str] = set()
    for limit in range(0, 9_000_000, 500_000):
        offered = set(shown(choose(capacity_types=("spot", "on-demand"), most_per_hour=limit)))
        assert known <= offered
        known = offered


@pytest.mark.parametrize("mode", [sizing.Serve(), sizing.Tune()], ids=["serve", "tune"])
def test_sharing_layouts_changes_no_answer(mode: sizing.Mode) -> None:
    """Over every preset: the offers of all types hold what `sizing.fit` says of each."""
    known = catalog.load()
    for name in known.names:
        model = known.find(name)
        assert model is not None
        for offer in offers.choose(model, mode).offers:
            assert offer.layout == sizing.fit(model, offer.instance_type, mode)


def test_every_reason_is_a_stable_word() -> None:
    assert len(set(offers.REASONS)) == len(offers.REASONS)
    assert all(reason.isalpha() and reason[0].isupper() for reason in offers.REASONS)
