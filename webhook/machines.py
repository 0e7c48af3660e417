"""Which machines the model's pods may run on, and with how many of their GPUs.

Where the user names instance types those that hold the model remain, in his order; where he names
none the preset's, else the cheapest that hold it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from presets import gpus, offers, preset, prices, sizing

CLOUD = "azure"
"""Whose machines are taken where nobody says otherwise, as in KAITO."""

OFFERED = 4
"""Instance types taken where the user names none: enough to fall back on, few enough to read."""

CONTEXT_TOKENS = 8192
"""Context that a machine of our choice has room for, if the model has as much: a conversation with
a long document. A machine that the user names may hold less."""


@dataclass(frozen=True)
class Machines:
    """Machines that will do, equal in the number of GPUs that they give."""

    names: tuple[str, ...]
    """Instance types in order of preference; never empty."""
    gpus: int
    context_tokens: int
    """Longest prompt plus answer that every one of them holds."""
    left_out: tuple[str, ...] = ()
    """Sentences on the named types that will not do."""


@dataclass(frozen=True)
class NoMachine:
    """No machine will do."""

    sentences: tuple[str, ...]
    """Why, by instance type."""
    instead: str
    """The cheapest machine that would do, with its price; empty: none is known."""


@lru_cache(maxsize=512)
def find(
    model: preset.Preset,
    named: tuple[str, ...],
    asked: int | None,
    capacity_types: tuple[str, ...],
    cloud: str = CLOUD,
) -> Machines | NoMachine:
    """Machines for `model`: among `named`, or of our choice where that is empty.

    `asked`: the user's count of GPUs; None: as many as the model needs. Names must be known ones.
    """
    names = named or model.instance_types or _offered(model, capacity_types, cloud)
    count, context = asked or 0, model.context_tokens
    taken: list[str] = []
    left_out: list[str] = []
    for name in names:
        machine = gpus.INSTANCE_TYPES[name]
        layout = sizing.fit(model, machine, sizing.Serve())
        if refusal := "; ".join(_against(machine, layout, count)):
            left_out.append(f"{name}: {refusal}")
            continue
        assert isinstance(layout, sizing.Layout)
        count = count or layout.gpus_per_replica
        context = min(context, layout.context_tokens)
        taken.append(name)
    if not taken:
        return _none(model, tuple(left_out), cloud)
    return Machines(tuple(taken), count, context, tuple(left_out) if named else ())


def of_own_server(model: preset.Preset, named: tuple[str, ...], asked: int | None) -> Machines:
    """Those of `named` with enough GPUs, whether or not the model fits: the server is not ours."""
    count = asked or model.gpus or 1
    able = tuple(name for name in named if gpus.INSTANCE_TYPES[name].gpus >= count)
    return Machines(able, count, model.context_tokens)


def _against(
    machine: gpus.InstanceType, layout: sizing.Layout | sizing.Misfit, count: int
) -> Iterator[str]:
    """What stands against it beside others that give `count` GPUs; 0: whatever it needs."""
    if isinstance(layout, sizing.Misfit):
        yield from (reason.sentence for reason in layout.reasons)
    elif layout.nodes > 1:
        yield f"the model takes {layout.nodes} of them, and several machines are not yet joined"
    elif layout.resource != gpus.GPU_RESOURCE:
        yield f"has no {gpus.GPU_RESOURCE}"
    elif count and layout.gpus_per_replica > count:
        yield f"the model takes {layout.gpus_per_replica} of its GPUs, not {count}"
    elif machine.gpus < count:
        yield f"has {machine.gpus} GPU{'s' if machine.gpus > 1 else ''}, not {count}"


def _offered(model: preset.Preset, capacity_types: tuple[str, ...], cloud: str) -> tuple[str, ...]:
    """The cheapest types that hold a fair context, else any."""
    wanted = offers.Wanted(capacity_types=capacity_types, cloud=cloud, vendor="nvidia")
    fair = sizing.Serve(context_tokens=min(model.context_tokens, CONTEXT_TOKENS))
    for mode in (fair, sizing.Serve()):
        if found := _single(offers.choose(model, mode, wanted)):
            count = found[0].layout.gpus_per_replica
            names = (o.instance_type.name for o in found if o.layout.gpus_per_replica == count)
            return tuple(dict.fromkeys(names))[:OFFERED]
    return ()


def _none(model: preset.Preset, sentences: tuple[str, ...], cloud: str) -> NoMachine:
    wanted = offers.Wanted(cloud=cloud, vendor="nvidia")
    choice = offers.choose(model, sizing.Serve(), wanted)
    if found := _single(choice):
        price = prices.shown(found[0].per_hour)
        return NoMachine(sentences, f"{found[0].instance_type.name} ({price})")
    several = min((offer.layout.nodes for offer in choice.offers), default=0)
    why = (
        f"it takes {several} machines, and several machines are not yet joined"
        if several
        else f"no machine of {cloud} holds it"
    )
    return NoMachine(sentences or (why,), "")


def _single(choice: offers.Choice) -> list[offers.Offer]:
    """Offers of one machine with GPUs that our server has a build for."""
    return [
        offer
        for offer in choice.offers
        if offer.layout.nodes == 1 and offer.layout.resource == gpus.GPU_RESOURCE
    ]
