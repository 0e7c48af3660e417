"""Which machines are taken under a price limit, and what is said of prices."""

import dataclasses

import pytest

from presets import annotations, catalog, gpus, preset
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


@pytest.mark.parametrize(
    "name", ["Standard_ND96isr_MI300X_v5", "trn1.2xlarge", "inf2.xlarge", "ct5lp-hightpu-1t"]
)
def test_a_server_of_the_users_own_gets_no_machine_without_the_gpus_that_we_write(
    name: str,
) -> None:
    """Its pods ask for `nvidia.com/gpu`, which no node of another vendor's has."""
    found = machines.of_own_server(known("tiny-chat"), machines.Wanted((T4, name)))
    assert isinstance(found, machines.Machines)
    assert (found.names, found.left_out) == ((T4,), (f"{name}: has no nvidia.com/gpu",))
    alone = machines.of_own_server(known("tiny-chat"), machines.Wanted((name,)))
    assert isinstance(alone, machines.NoMachine)
    assert alone.sentences == (f"{name}: has no nvidia.com/gpu",)
    assert alone.instead == "Standard_NV6ads_A10_v5 ($0.454/h)"


def test_a_server_of_the_users_own_gets_no_machine_with_fewer_gpus_than_the_preset_asks_for() -> (
    None
):
    model = dataclasses.replace(known("phi-4"), gpus=2)
    found = machines.of_own_server(model, machines.Wanted((T4,)))
    assert isinstance(found, machines.NoMachine)
    assert found.sentences == (f"{T4}: has 1 GPU, not 2",)


def test_the_machine_that_is_hinted_at_has_the_gpus_asked_for() -> None:
    for find in (machines.find, machines.of_own_server):
        found = find(known("tiny-chat"), machines.Wanted((T4,), 2))
        assert isinstance(found, machines.NoMachine)
        assert gpus.INSTANCE_TYPES[found.instead.partition(" ")[0]].gpus >= 2


@pytest.mark.parametrize("own", [False, True], ids=["our server", "their own"])
def test_what_is_found_is_never_empty(*, own: bool) -> None:
    """Each instance type that there is, named alone: taken, or with a sentence."""
    find, model = machines.of_own_server if own else machines.find, known("phi-4")
    for name in gpus.INSTANCE_TYPES:
        for count in (None, 2):
            found = find(model, machines.Wanted((name,), count))
            told = found.sentences if isinstance(found, machines.NoMachine) else found.names
            assert told, (name, count)
