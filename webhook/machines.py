"""Which machines the model's pods may run on, and with how many of their GPUs.

Where the user names instance types those that hold the model remain, in his order; where he names
none the preset's, else the cheapest that hold it.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from presets import annotations, gpus, offers, preset, prices, sizing
from presets.sizing import reasons

CLOUD = "azure"
"""Whose machines are taken where nobody says otherwise, as in KAITO."""

OFFERED = 4
"""Instance types taken where the user names none: enough to fall back on, few enough to read."""

_VENDOR = "nvidia"
"""Whose GPUs our server has a build for."""

CONTEXT_TOKENS = 8192
"""Context that a machine of our choice has room for, if the model has as much: a conversation with
a long document. A machine that the user names may hold less."""


SERVE = sizing.Serve()
"""Answering requests with nothing beside the model: one value, so that caches find it at once."""


ALONE = sizing.Split(1, 1, 1)
"""One machine holds the model: how its GPUs divide it is left to the server."""


class Wanted(NamedTuple):
    """What is asked of the machines."""

    named: tuple[str, ...] = ()
    """Instance types in order of preference, known ones; empty: of our choice."""
    asked: int | None = None
    """The user's count of GPUs; None: as many as the model needs."""
    capacity_types: tuple[str, ...] = (annotations.ON_DEMAND,)
    cloud: str = CLOUD
    limit: int | None = None
    """Most that a replica may cost, all its machines, in microdollars per hour, however bought."""
    mode: sizing.Mode = SERVE
    """What is done with the model there."""
    joins: bool = False
    """Several machines may hold it together."""


@dataclass(frozen=True)
class Machines:
    """Machines that will do, equal in the number of GPUs that they give."""

    names: tuple[str, ...]
    """Instance types in order of preference; empty where any node will do, which has no GPU."""
    gpus: int
    context_tokens: int
    """Longest prompt plus answer that every one of them holds."""
    left_out: tuple[str, ...] = ()
    """Sentences on the named types that will not do."""
    old: tuple[str, ...] = ()
    """Those of `names` with GPUs too old for the PyTorch that we build for: named ones alone."""
    split: sizing.Split = ALONE
    """Among how many machines of one of these types the model is divided, and how."""
    dtype: str = ""
    """Type to compute in; empty: what the instance types can."""
    memory_bytes: int = 0
    """To be asked of a node without GPU; 0: nothing is asked for."""


@dataclass(frozen=True)
class NoMachine:
    """No machine will do."""

    sentences: tuple[str, ...]
    """Why, by instance type."""
    instead: str
    """The cheapest machine that would do, with its price; empty: none is known."""


@lru_cache(maxsize=512)
def find(model: preset.Preset, wanted: Wanted) -> Machines | NoMachine:
    """Machines for `model`: among those that are named, else of our choice.

    Several that hold it together are taken where none does alone.
    """
    named = wanted.named or _within(model.instance_types, wanted)
    found = _among(named or _offered(model, wanted), model, wanted)
    if isinstance(found, NoMachine) and wanted.joins:
        names = named or _offered(model, wanted, joined=True)
        found = _among(names, model, wanted, joined=True)
    return found


def _among(
    names: tuple[str, ...], model: preset.Preset, wanted: Wanted, *, joined: bool = False
) -> Machines | NoMachine:
    count, context, split = wanted.asked or 0, model.context_tokens, ALONE
    taken: list[str] = []
    old: list[str] = []
    left_out: list[str] = []
    for name in names:
        machine = gpus.INSTANCE_TYPES[name]
        layout = sizing.fit(model, machine, wanted.mode)
        nodes = (split.nodes if taken else 0) if joined else 1
        if refusal := "; ".join(_refusals(machine, layout, count, nodes, wanted)):
            left_out.append(f"{name}: {refusal}")
            continue
        assert isinstance(layout, sizing.Layout)
        count = count or layout.gpus_per_replica
        context = min(context, layout.context_tokens)
        if layout.nodes > 1:
            split = sizing.Split(layout.nodes, layout.tensor_parallel, layout.pipeline_parallel)
        taken.append(name)
        if _is_old(layout):
            old.append(name)
    if not taken:
        return _none(model, tuple(left_out), wanted)
    said = tuple(left_out) if wanted.named else ()
    return Machines(tuple(taken), count, context, said, tuple(old), split)


@lru_cache(maxsize=512)
def of_own_server(model: preset.Preset, wanted: Wanted) -> Machines | NoMachine:
    """Those named with enough GPUs, whether or not the model fits: the server is not ours."""
    count = wanted.asked or model.gpus or 1
    taken: list[str] = []
    left_out: list[str] = []
    for name in wanted.named:
        against = (*_lacking(gpus.INSTANCE_TYPES[name], count), *_too_dear(name, wanted))
        if against:
            left_out.append(f"{name}: {'; '.join(against)}")
        else:
            taken.append(name)
    if not taken:
        return _none(model, tuple(left_out), wanted)
    return Machines(tuple(taken), count, model.context_tokens, tuple(left_out))


@lru_cache(maxsize=512)
def priced(name: str, capacity_types: tuple[str, ...], nodes: int = 1) -> str:
    """What so many machines cost together, for people.

    `$3.673/h`, `spot $0.66/h`, `price unknown`, `2 for $7.346/h`.
    """
    costs = {one: _cost(name, one, nodes) for one in capacity_types}
    if not any(costs.values()):
        return "price unknown"
    number = f"{nodes} for " if nodes > 1 else ""
    if capacity_types == (annotations.ON_DEMAND,):
        return number + prices.shown(costs[annotations.ON_DEMAND])
    return number + ", ".join(f"{one} {prices.shown(cost)}" for one, cost in costs.items())


def are_priced(names: tuple[str, ...], capacity_types: tuple[str, ...]) -> bool:
    """Whether a price is known of any of them, bought in any of these ways."""
    return any(_cost(name, one) for name in names for one in capacity_types)


def _cost(name: str, capacity_type: str, nodes: int = 1) -> int | None:
    found = prices.snapshot().find(name, capacity_type)
    return found.microdollars_per_hour * nodes if found else None


def _too_dear(name: str, wanted: Wanted, nodes: int = 1) -> Iterator[str]:
    """What stands against the price: nobody knows in which of the ways the machine is got."""
    for one in () if wanted.limit is None else wanted.capacity_types:
        cost = _cost(name, one, nodes)
        if cost is None:
            yield f"its {one} price is unknown"
        elif wanted.limit is not None and cost > wanted.limit:
            number = f"{nodes} cost" if nodes > 1 else "costs"
            yield f"{number} {prices.shown(cost)} {one}"


def _within(names: tuple[str, ...], wanted: Wanted) -> tuple[str, ...]:
    if wanted.limit is None:
        return names
    return tuple(name for name in names if not any(_too_dear(name, wanted)))


def _refusals(
    machine: gpus.InstanceType,
    layout: sizing.Layout | sizing.Misfit,
    count: int,
    nodes: int,
    wanted: Wanted,
) -> Iterator[str]:
    """What stands against it beside others that give `count` GPUs on each of `nodes` machines.

    0: whatever it needs.
    """
    if isinstance(layout, sizing.Misfit):
        yield from (reason.sentence for reason in layout.reasons)
        yield from _too_dear(machine.name, wanted)
        return
    if nodes and layout.nodes != nodes:
        yield f"the model takes {layout.nodes} of them{f', not {nodes}' if nodes > 1 else ''}"
    elif count and layout.gpus_per_replica > count:
        yield f"the model takes {layout.gpus_per_replica} of its GPUs, not {count}"
    else:
        yield from _lacking(machine, count)
    yield from _too_dear(machine.name, wanted, layout.nodes)


def _lacking(machine: gpus.InstanceType, count: int) -> Iterator[str]:
    """What the machine lacks of `count` GPUs such as the pods ask for, whatever runs there."""
    if machine.resource != gpus.GPU_RESOURCE:
        yield f"has no {gpus.GPU_RESOURCE}"
    elif machine.gpus < count:
        yield f"has {machine.gpus} GPU{'s' if machine.gpus > 1 else ''}, not {count}"


def _offered(model: preset.Preset, wanted: Wanted, *, joined: bool = False) -> tuple[str, ...]:
    """The cheapest types that hold a fair context, else any."""
    for mode in modes(model, wanted.mode):
        found = [
            offer
            for offer in _usable(_choice(model, mode, wanted), joined=joined)
            if not any(_too_dear(offer.instance_type.name, wanted, offer.layout.nodes))
        ]
        if found:
            first = found[0].layout
            alike = (first.gpus_per_replica, first.nodes)
            return _names(o for o in found if (o.layout.gpus_per_replica, o.layout.nodes) == alike)[
                :OFFERED
            ]
    return ()


def modes(model: preset.Preset, mode: sizing.Mode) -> tuple[sizing.Mode, ...]:
    """What a machine of our choice is to hold, the better first."""
    if isinstance(mode, sizing.Tune):
        return (mode,)
    fair = min(model.context_tokens, CONTEXT_TOKENS)
    return dataclasses.replace(mode, context_tokens=fair), mode


def _choice(model: preset.Preset, mode: sizing.Mode, wanted: Wanted) -> offers.Choice:
    bought = offers.Wanted(capacity_types=wanted.capacity_types, cloud=wanted.cloud, vendor=_VENDOR)
    return offers.choose(model, mode, bought)


@lru_cache(maxsize=512)
def cheapest(model: preset.Preset, wanted: Wanted) -> tuple[str, int | None]:
    """The cheapest machine that holds the model, with its price for people and as a number.

    Of all that have the GPUs asked for, not of those named, and whatever the limit. Without a
    number where no price is known, and without a name where no machine is.
    """
    for offer in _usable(_choice(model, wanted.mode, wanted)):
        if offer.instance_type.gpus < (wanted.asked or 0):
            continue
        shown = prices.shown(offer.per_hour) if offer.per_hour else "price unknown"
        bought = "" if offer.capacity_type == annotations.ON_DEMAND else f"{offer.capacity_type} "
        return f"{offer.instance_type.name} ({bought}{shown})", offer.per_hour
    return "", None


def _none(model: preset.Preset, sentences: tuple[str, ...], wanted: Wanted) -> NoMachine:
    plain = Wanted(asked=wanted.asked, cloud=wanted.cloud, mode=wanted.mode)
    if instead := cheapest(model, plain)[0]:
        return NoMachine(sentences, instead)
    choice = _choice(model, wanted.mode, plain)
    fewest = min((offer.layout.nodes for offer in choice.offers), default=0)
    why = f"it takes {fewest} machines" if fewest > 1 else f"no machine of {wanted.cloud} holds it"
    return NoMachine(sentences or (why,), "")


def _names(found: Iterable[offers.Offer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(offer.instance_type.name for offer in found))


def _usable(choice: offers.Choice, *, joined: bool = False) -> list[offers.Offer]:
    """Offers of one machine, or of several, with GPUs that our server has a build for."""
    return [
        offer
        for offer in choice.offers
        if (offer.layout.nodes > 1) is joined
        and offer.layout.resource == gpus.GPU_RESOURCE
        and not _is_old(offer.layout)
    ]


def _is_old(layout: sizing.Layout) -> bool:
    return any(warning.code == reasons.OLD_GPU for warning in layout.warnings)
