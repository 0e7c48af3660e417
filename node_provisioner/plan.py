"""What to buy: a pure function from demand and supply to decisions."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, groupby

from kubeapi.events import Reason
from node_provisioner import demand, names, offerings, reasons, stock, supply, views
from presets import provision_spec


@dataclass(frozen=True)
class NewClaim:
    """A node to buy."""

    name: str
    workload: views.Workload
    offer: offerings.Offer
    resource: str
    gpus: int
    """GPUs that its node will have."""
    attempt: int
    """0 for the first; counts the purchases of this workload that were refused."""


@dataclass(frozen=True)
class Unplaced:
    """A waiting pod for which nothing is bought, and why."""

    pod: views.PodView
    reason: Reason


@dataclass(frozen=True)
class Limits:
    """How much may be bought."""

    claims: int
    """Claims of ours at any time, in the whole cluster."""


@dataclass(frozen=True)
class Past:
    """What earlier purchases taught."""

    taken: Collection[str] = ()
    """Names that no new claim can have."""
    barred: Collection[offerings.Offer] = ()
    """Offers that were refused a short while ago."""
    attempts: Mapping[str, int] = field(default_factory=dict)
    """Refused purchases by workload (namespace/Kind/name)."""


@dataclass(frozen=True)
class Plan:
    """Decisions and their reasons."""

    create: tuple[NewClaim, ...]
    placed: tuple[stock.Placement, ...]
    """Pods that existing or new claims and nodes will serve."""
    unplaced: tuple[Unplaced, ...]


def plan(
    demands: Sequence[demand.Demand],
    bins: Iterable[supply.Bin],
    limits: Limits,
    past: Past,
    *,
    existing: int,
) -> Plan:
    """The claims that are missing, given `existing` ones, and what every waiting pod waits for.

    Does not depend on the order of its input, never exceeds `limits` and buys no node that no pod
    needs. Given its own result as supply it buys nothing, as long as the pods that share an
    instance type accept the same types: a workload takes what was bought for it, then pods are
    placed first come, first served, the largest first, and not moved about to make room.
    """
    buyer = _Buyer(stock.Stock(bins), limits.claims - existing, past)
    ordered = sorted(demands, key=lambda d: (-d.spec.gpus, d.workload, d.spec.to_json()))
    for _, same_size in groupby(ordered, key=lambda d: d.spec.gpus):
        queues = [(wanted, deque(wanted.pods)) for wanted in same_size]
        for wanted, waiting in queues:
            buyer.use_own(wanted, waiting)
        for wanted, waiting in queues:
            buyer.use_any_or_buy(wanted, waiting)
    return Plan(tuple(buyer.create), tuple(buyer.placed), tuple(buyer.unplaced))


def expected(claim: NewClaim) -> supply.Bin:
    """The supply that a claim brings."""
    kind, workload = claim.offer.instance_type, claim.workload.key
    return supply.Bin(claim.name, "", kind, claim.resource, claim.gpus, workload)


def _choose(spec: provision_spec.ProvisionSpec, past: Past, room: int) -> offerings.Offer | Reason:
    if spec.gpus == 0:
        return reasons.no_gpu_asked()
    offers = tuple(offerings.offers(spec))
    if not offers:
        return reasons.too_many_gpus(spec.gpus, spec.instance_types)
    offer = next((offer for offer in offers if offer not in past.barred), None)
    if offer is None:
        return reasons.all_refused(offers)
    return offer if room > 0 else reasons.limit_reached()


def _attempt(workload: views.Workload, past: Past) -> int:
    return past.attempts.get(workload.key, 0)


def _fresh_names(wanted: demand.Demand, past: Past, taken: Collection[str]) -> Iterator[str]:
    attempt = _attempt(wanted.workload, past)
    every = (names.claim(wanted.workload, wanted.spec, slot, attempt) for slot in count())
    return (name for name in every if name not in taken)


def _purchase(wanted: demand.Demand, offer: offerings.Offer, past: Past, name: str) -> NewClaim:
    spec = wanted.spec
    gpus = offerings.gpus(offer.instance_type, spec.gpus)
    attempt = _attempt(wanted.workload, past)
    return NewClaim(name, wanted.workload, offer, spec.gpu_resource, gpus, attempt)


class _Buyer:
    """One plan in the making."""

    def __init__(self, supplied: stock.Stock, room: int, past: Past) -> None:
        self._stock = supplied
        self._room = room
        self._past = past
        self._taken = set(past.taken)
        self.create: list[NewClaim] = []
        self.placed: list[stock.Placement] = []
        self.unplaced: list[Unplaced] = []

    def use_own(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> None:
        """Place pods in what was bought for their workload."""
        own = wanted.workload.key
        self.placed += self._stock.serve(wanted.spec, waiting, bought_for=own)

    def use_any_or_buy(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> None:
        """Place the rest in whatever there is, then in new claims."""
        self.placed += self._stock.serve(wanted.spec, waiting)
        fresh = _fresh_names(wanted, self._past, self._taken)
        while waiting:
            offer = _choose(wanted.spec, self._past, self._room - len(self.create))
            if isinstance(offer, Reason):
                self.unplaced += [Unplaced(pod, offer) for pod in waiting]
                return
            claim = _purchase(wanted, offer, self._past, next(fresh))
            self._taken.add(claim.name)
            self.create.append(claim)
            self.placed += self._stock.add_and_serve(expected(claim), wanted.spec, waiting)
