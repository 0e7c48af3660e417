"""Which machines are taken under a price limit, and what is said of prices."""

import pytest

from presets import annotations, catalog, preset
from webhook import machines

ON_DEMAND, SPOT = (annotations.ON_DEMAND,), (annotations.SPOT,)
T4, V100, A100 = "Standard_NC4as_T4_v3", "Standard_NC6s_v3", "Standard_NC24ads_A100_v4"
UNPRICED = "Standard_ND96isr_H200_v5"
DOLLAR = 1_000_000


def known(name: str) -> preset.Preset:
    found = catalog.load().find(name)
    assert found is not None
    return found


def taken(model: str, named: tuple[str, ...], limit: float | None) -> tuple[str, ...]:
    amount = None if limit is None else int(limit * DOLLAR)
    found = machines.find(known(model), machines.Wanted(named, limit=amount))
    return found.names if isinstance(found, machines.Machines) else ()


@pytest.mark.parametrize(
    ("named", "limit", "names"),
    [
        ((T4, A100), None, (T4, A100)),
        ((A100, T4), 1, (T4,)),
        ((A100, T4), 3.673, (A100, T4)),
        ((A100, T4), 3.672999, (T4,)),
        ((A100,), 1, ()),
        ((UNPRICED, T4), 1000, (T4,)),
        ((UNPRICED,), None, (UNPRICED,)),
    ],
)
def test_the_users_machines_up_to_the_limit_in_his_order(
    named: tuple[str, ...], limit: float | None, names: tuple[str, ...]
) -> None:
    assert taken("tiny-chat", named, limit) == names


@pytest.mark.parametrize("cloud", ["azure", "aws", "gcp"])
def test_of_our_choice_is_no_gpu_that_the_servers_pytorch_has_no_kernels_for(cloud: str) -> None:
    """Of every model that somebody sells a machine for."""
    for model in catalog.load().presets:
        found = machines.find(model, machines.Wanted(cloud=cloud))
        assert isinstance(found, machines.NoMachine) or not found.old


def test_a_named_machine_of_that_kind_is_taken_and_told_of() -> None:
    found = machines.find(known("tiny-chat"), machines.Wanted((V100, T4)))
    assert isinstance(found, machines.Machines)
    assert (found.names, found.old) == ((V100, T4), (V100,))


def test_under_a_limit_the_presets_own_machines_give_way_to_cheaper_ones() -> None:
    """tiny-chat prefers two; with neither within the limit others are looked for."""
    assert taken("tiny-chat", (), 0.6) == (T4,)
    assert taken("tiny-chat", (), 0.01) == ()


def test_a_machine_is_too_dear_if_one_way_to_buy_it_is() -> None:
    """Nobody knows which of them will be had; an unknown price is above every limit."""
    both = (annotations.SPOT, annotations.ON_DEMAND)
    found = machines.find(
        known("tiny-chat"), machines.Wanted((A100,), None, both, limit=100 * DOLLAR)
    )
    assert isinstance(found, machines.NoMachine)
    assert found.sentences == (f"{A100}: its spot price is unknown",)


def test_the_limit_holds_for_servers_of_the_users_own() -> None:
    found = machines.of_own_server(known("phi-4"), machines.Wanted((A100, T4), limit=DOLLAR))
    assert isinstance(found, machines.Machines)
    assert (found.names, found.left_out) == ((T4,), (f"{A100}: costs $3.673/h on-demand",))
    assert isinstance(
        machines.of_own_server(known("phi-4"), machines.Wanted((A100,), limit=DOLLAR)),
        machines.NoMachine,
    )


@pytest.mark.parametrize(
    ("name", "bought", "text"),
    [
        (T4, ON_DEMAND, "$0.526/h"),
        (UNPRICED, ON_DEMAND, "price unknown"),
        (A100, SPOT, "price unknown"),
        (A100, (*SPOT, *ON_DEMAND), "spot unknown, on-demand $3.673/h"),
    ],
)
def test_prices_for_people(name: str, bought: tuple[str, ...], text: str) -> None:
    assert machines.priced(name, bought) == text
