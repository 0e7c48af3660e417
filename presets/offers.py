"""Which machines to take for a model, in which order, at what price, and why not the others.

Pure. The order is the user's where he lists instance types (the first that can be had wins, as in
the annotation `kaito.sh/instance-types`), else the cheapest comes first. Equal input in any order
gives the equal answer: ties go by capacity type as asked for, then by name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from presets import annotations, gpus, preset, prices, sizing

UNKNOWN_INSTANCE_TYPE = "UnknownInstanceType"
WRONG_CLOUD = "WrongCloud"
WRONG_VENDOR = "WrongVendor"
WRONG_ARCHITECTURE = "WrongArchitecture"
REMOVED_INSTANCE_TYPE = "RemovedInstanceType"
DOES_NOT_FIT = "DoesNotFit"
NO_SUCH_CAPACITY = "NoSuchCapacity"
PRICE_UNKNOWN = "PriceUnknown"
ABOVE_PRICE_LIMIT = "AbovePriceLimit"

REASONS: Mapping[str, str] = {
    UNKNOWN_INSTANCE_TYPE: "this version does not know an instance type of that name",
    WRONG_CLOUD: "another cloud sells the machine",
    WRONG_VENDOR: "its GPUs are of a vendor that the model server has no build for",
    WRONG_ARCHITECTURE: "its processors are not those that the image is built for",
    REMOVED_INSTANCE_TYPE: "the cloud no longer sells the machine",
    DOES_NOT_FIT: "the model does not fit the machine",
    NO_SUCH_CAPACITY: "the cloud does not sell that capacity type",
    PRICE_UNKNOWN: "there is a price limit, and no price of the machine is known",
    ABOVE_PRICE_LIMIT: "the machine costs more than the limit",
}
"""Why an instance type is no offer and what that means in general, in the order in which it is
looked at; docs/reference/reasons.md lists them."""

LOCAL = "local"
"""Cloud of the machines that the local cluster simulates under the names of other clouds."""

_NO_SPOT = ("arc",)
"""Clouds of the user's own machines: nobody takes them back."""


Fit = Callable[[gpus.InstanceType], sizing.Layout | sizing.Misfit]
"""How the model is laid out on a machine, or why it does not fit: `sizing.Fits.on`."""


@dataclass(frozen=True)
class Wanted:
    """What the user says of the machines."""

    instance_types: tuple[str, ...] = ()
    """In order of preference; empty: every type that is still sold."""
    capacity_types: tuple[str, ...] = (annotations.ON_DEMAND,)
    """In order of preference, which decides between equal prices."""
    most_per_hour: int | None = None
    """Microdollars for one replica, all its nodes together; None: no limit."""
    cloud: str = ""
    """One of `gpus.CLOUDS`, `local`, or empty: any."""
    vendor: str = ""
    """One of `gpus.VENDORS`, or empty: any."""
    architecture: str = "amd64"
    """Of the processors that the image is built for; empty: any."""
    region: str = ""
    """Whose prices count; empty: the cheapest known."""


class Offer(NamedTuple):
    """A machine that will do."""

    instance_type: gpus.InstanceType
    capacity_type: str
    layout: sizing.Layout
    price: prices.Price | None
    """Of one machine; None: unknown."""

    @property
    def per_hour(self) -> int | None:
        """Microdollars of one replica: the price of all its nodes; None: unknown."""
        if self.price is None:
            return None
        return self.price.microdollars_per_hour * self.layout.nodes


class Dropped(NamedTuple):
    """A machine that will not do.

    A named tuple as `Offer`: a choice makes one for every type, at a third of a dataclass's cost.
    """

    instance_type: str
    reason: str
    """One of `REASONS`."""
    sentence: str
    capacity_type: str = ""
    """Where only that capacity type of it is dropped."""


@dataclass(frozen=True)
class Choice:
    """The answer: what to try, one after the other, and what not."""

    offers: tuple[Offer, ...]
    dropped: tuple[Dropped, ...]
    """By reason in the order of `REASONS`, then by name."""

    @property
    def cheapest(self) -> Offer | None:
        """The offer of the lowest known price, wherever it stands in the order."""
        priced = [offer for offer in self.offers if offer.price is not None]
        return min(priced, key=lambda offer: offer.per_hour or 0, default=None)


ANYTHING = Wanted()
"""On demand, wherever it is sold, whatever it costs."""


def choose(
    known: preset.Preset,
    mode: sizing.Mode,
    wanted: Wanted = ANYTHING,
    *,
    table: prices.PriceList | None = None,
    machines: Mapping[str, gpus.InstanceType] = gpus.INSTANCE_TYPES,
    fit: Fit | None = None,
) -> Choice:
    """The offers for `known` in order, and the reason for every type that is none.

    `table`: prices to count with; None: the snapshot of the package. `fit`: None: what `sizing`
    says. A type that its cloud no longer sells is offered only where the user lists it by name.
    """
    table = prices.snapshot() if table is None else table
    fit = fit or sizing.Fits(known, mode).on
    offers: list[Offer] = []
    dropped: list[Dropped] = []
    for name in dict.fromkeys(wanted.instance_types or machines):
        machine = machines.get(name)
        if machine is None:
            sentence = "no instance type of that name is known"
            dropped.append(Dropped(name, UNKNOWN_INSTANCE_TYPE, sentence))
        elif refusal := _refusal(machine, wanted):
            dropped.append(refusal)
        elif isinstance(layout := fit(machine), sizing.Misfit):
            dropped.append(Dropped(name, DOES_NOT_FIT, layout.sentence))
        else:
            for capacity in dict.fromkeys(wanted.capacity_types):
                price = table.find(name, capacity, wanted.region)
                offer = Offer(machine, capacity, layout, price)
                if refusal := _unsellable(offer) or _over_limit(offer, wanted.most_per_hour):
                    dropped.append(refusal)
                else:
                    offers.append(offer)
    return Choice(_in_order(offers, wanted), _by_reason(dropped))


def _refusal(machine: gpus.InstanceType, wanted: Wanted) -> Dropped | None:
    """What stands against a machine before its memory is looked at."""
    if not _is_in(machine, wanted.cloud):
        sentence = f"is sold by {machine.cloud}, not by {wanted.cloud}"
        return Dropped(machine.name, WRONG_CLOUD, sentence)
    if wanted.vendor not in ("", machine.model.vendor):
        sentence = f"has {machine.gpu}, which is not made by {wanted.vendor}"
        return Dropped(machine.name, WRONG_VENDOR, sentence)
    if wanted.architecture not in ("", machine.architecture):
        sentence = f"has {machine.architecture} processors, the image is for {wanted.architecture}"
        return Dropped(machine.name, WRONG_ARCHITECTURE, sentence)
    if _is_gone(machine, wanted):
        why = f": {machine.notes}" if machine.notes else ""
        sentence = f"is no longer sold by {machine.cloud}{why}"
        return Dropped(machine.name, REMOVED_INSTANCE_TYPE, sentence)
    return None


def _is_in(machine: gpus.InstanceType, cloud: str) -> bool:
    return machine.local if cloud == LOCAL else cloud in ("", machine.cloud)


def _is_gone(machine: gpus.InstanceType, wanted: Wanted) -> bool:
    """Retired, and neither listed by name nor simulated here: then it can still be had."""
    return machine.status == gpus.REMOVED and wanted.cloud != LOCAL and not wanted.instance_types


def _unsellable(offer: Offer) -> Dropped | None:
    name, cloud, capacity = offer.instance_type.name, offer.instance_type.cloud, offer.capacity_type
    if capacity == annotations.SPOT and cloud in _NO_SPOT:
        return Dropped(name, NO_SUCH_CAPACITY, f"{cloud} has no {capacity} machines", capacity)
    return None


def _over_limit(offer: Offer, limit: int | None) -> Dropped | None:
    if limit is None:
        return None
    name, capacity, cost = offer.instance_type.name, offer.capacity_type, offer.per_hour
    if cost is None:
        sentence = f"its {capacity} price is unknown, and {prices.shown(limit)} is the limit"
        return Dropped(name, PRICE_UNKNOWN, sentence, capacity)
    if cost > limit:
        count = f" for {offer.layout.nodes} machines" if offer.layout.nodes > 1 else ""
        sentence = (
            f"costs {prices.shown(cost)}{count} {capacity}, the limit is {prices.shown(limit)}"
        )
        return Dropped(name, ABOVE_PRICE_LIMIT, sentence, capacity)
    return None


def _in_order(offers: Iterable[Offer], wanted: Wanted) -> tuple[Offer, ...]:
    listed = {name: rank for rank, name in enumerate(dict.fromkeys(wanted.instance_types))}
    capacity = {name: rank for rank, name in enumerate(dict.fromkeys(wanted.capacity_types))}

    def rank(offer: Offer) -> tuple[int, int, int, int, str]:
        name, cost = offer.instance_type.name, offer.per_hour
        preference = capacity[offer.capacity_type]
        if listed:
            return listed[name], preference, 0, 0, name
        return 0, 0 if cost is not None else 1, cost or 0, preference, name

    return tuple(sorted(offers, key=rank))


def _by_reason(dropped: Iterable[Dropped]) -> tuple[Dropped, ...]:
    order = {reason: rank for rank, reason in enumerate(REASONS)}
    return tuple(
        sorted(dropped, key=lambda one: (order[one.reason], one.instance_type, one.capacity_type))
    )
