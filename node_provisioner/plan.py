"""What to buy: a pure function from demand and supply to decisions."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from kubeapi.events import Reason
from node_provisioner import demand, limits, names, offerings, reasons, stock, supply, views
from node_provisioner.views import Standing


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
    offers: tuple[offerings.Offer, ...] = ()
    """What the workload may use, in order of preference."""

    @property
    def place(self) -> str:
        """`attempt 2/3`: which of the offers it is."""
        return f"attempt {self.offers.index(self.offer) + 1}/{len(self.offers)}"

    @property
    def then(self) -> offerings.Offer | None:
        """What is tried next if it is refused."""
        return next(iter(self.offers[self.offers.index(self.offer) + 1 :]), None)


@dataclass(frozen=True)
class Unplaced:
    """A waiting pod for which nothing is bought, and why."""

    pod: views.PodView
    reason: Reason


@dataclass(frozen=True)
class Past:
    """What earlier purchases taught."""

    taken: Collection[str] = ()
    """Names that no new claim can have."""
    barred: Mapping[offerings.Offer, str] = field(default_factory=dict)
    """Offers that were refused a short while ago, and why; without a zone or capacity type: all."""
    probed: Collection[offerings.Offer] = ()
    """Offers that were refused before: one claim at a time finds out whether they can be had."""
    attempts: Mapping[str, int] = field(default_factory=dict)
    """Refused purchases by workload (namespace/Kind/name)."""
    pause: Reason | None = None
    """Why nothing is bought at all for now."""
    careful: bool = False
    """The pause is over, and one claim at a time finds out whether its cause is gone."""


@dataclass(frozen=True)
class Plan:
    """Decisions and their reasons."""

    create: tuple[NewClaim, ...]
    placed: tuple[stock.Placement, ...]
    """Pods that existing or new claims and nodes will serve."""
    unplaced: tuple[Unplaced, ...]
    admit: tuple[views.PodView, ...] = ()
    """Gated pods whose nodes are there."""


def plan(
    demands: Sequence[demand.Demand],
    bins: Sequence[supply.Bin],
    allowed: limits.Limits,
    past: Past,
    *,
    existing: Sequence[views.ClaimView] = (),
) -> Plan:
    """The claims that are missing, given `existing` ones, and what every waiting pod waits for.

    Does not depend on the order of its input, never exceeds what is `allowed` and buys no node that
    no pod needs. A workload takes what was bought for it, then pods are placed workload by
    workload, and not moved about to make room; of several orders the cheapest counts. Given its own
    result as supply it buys nothing, as long as the pods that share an instance type accept the
    same types.
    """
    found: list[Plan] = []
    for ordered in _orders(demands):
        found.append(_in_order(ordered, bins, allowed, past, existing))
        if not found[-1].create:
            return found[-1]
    return min(found, key=_cost)


def _cost(found: Plan) -> tuple[int, int, int]:
    per_hour = sum(claim.offer.per_hour or 0 for claim in found.create)
    return len(found.unplaced), per_hour, len(found.create)


def _orders(demands: Sequence[demand.Demand]) -> Iterator[list[demand.Demand]]:
    """In which demands are served: whoever comes later uses what earlier ones leave over.

    The largest pods first, or the fewest types, or the dearest; no order twice.
    """
    plain = sorted(demands, key=demand.order)
    tried: list[list[demand.Demand]] = []
    for ordered in (plain, sorted(plain, key=_fewest_types), sorted(plain, key=_dearest)):
        if ordered not in tried:
            tried.append(ordered)
            yield ordered


def _fewest_types(wanted: demand.Demand) -> int:
    return len(wanted.spec.instance_types)


def _dearest(wanted: demand.Demand) -> int:
    offers = offerings.offers(wanted.spec, wanted.rules)
    return -(offers[0].per_hour or 0) if offers else 0


def _in_order(
    demands: Sequence[demand.Demand],
    bins: Sequence[supply.Bin],
    allowed: limits.Limits,
    past: Past,
    existing: Sequence[views.ClaimView],
) -> Plan:
    keys = {key for wanted in demands for key in wanted.rules.keys}
    buyer = _Buyer(stock.Stock(bins, keys), limits.Account(allowed, existing), past)
    queues = [(wanted, deque(wanted.pods)) for wanted in demands]
    for wanted, waiting in queues:
        if wanted.standing is Standing.REFUSED:
            buyer.use_own(wanted, waiting)
    for wanted, waiting in queues:
        if wanted.standing is Standing.REFUSED:
            buyer.use_any(wanted, waiting)
            buyer.buy(wanted, waiting)
    for wanted, waiting in queues:
        if wanted.standing is Standing.UNJUDGED:
            buyer.use_own(wanted, waiting)
            buyer.use_any(wanted, waiting)
    for wanted, waiting in queues:
        if wanted.standing is Standing.GATED:
            buyer.serve_together(wanted, waiting)
    return Plan(tuple(buyer.create), tuple(buyer.placed), tuple(buyer.unplaced), tuple(buyer.admit))


def expected(claim: NewClaim) -> supply.Bin:
    """The supply that a claim brings."""
    return supply.coming(claim.name, claim.offer, claim.workload.key, claim.resource, claim.gpus)


class _Buyer:
    """One plan in the making."""

    def __init__(self, supplied: stock.Stock, account: limits.Account, past: Past) -> None:
        self._stock = supplied
        self._account = account
        self._past = past
        self._taken = set(past.taken)
        self.create: list[NewClaim] = []
        self.placed: list[stock.Placement] = []
        self.unplaced: list[Unplaced] = []
        self.admit: list[views.PodView] = []

    def use_own(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> None:
        """Place pods in what was bought for their workload."""
        self.placed += self._stock.serve_own(wanted, waiting)

    def use_any(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> None:
        """Place pods in whatever there is."""
        self.placed += self._stock.serve(wanted, waiting)

    def buy(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> None:
        """Place the rest in new claims, as far as they can be had."""
        fresh = self._fresh_names(wanted)
        while waiting:
            offer = self._choose(wanted)
            if isinstance(offer, Reason):
                self.unplaced += [Unplaced(pod, offer) for pod in waiting]
                return
            self._add(self._purchase(wanted, offer, next(fresh)), wanted, waiting)

    def _add(self, claim: NewClaim, wanted: demand.Demand, waiting: deque[views.PodView]) -> None:
        self._taken.add(claim.name)
        self._account.add(wanted.workload.key, claim.offer)
        self.create.append(claim)
        self.placed += self._stock.add_and_serve(expected(claim), wanted, waiting)

    def serve_together(self, wanted: demand.Demand, waiting: deque[views.PodView]) -> None:
        """Place all pods, or none."""
        if wanted.missing:
            reason = reasons.gang_incomplete(len(wanted.pods), wanted.missing)
            self.unplaced += [Unplaced(pod, reason) for pod in waiting]
            return
        bought, placed, left = len(self.create), len(self.placed), len(self.unplaced)
        self.use_own(wanted, waiting)
        self.use_any(wanted, waiting)
        self.buy(wanted, waiting)
        if self.unplaced[left:]:
            reason = reasons.gang_waits(self.unplaced[left].reason)
            self._undo(bought, placed, left)
            self.unplaced += [Unplaced(pod, reason) for pod in self._find_out(wanted)]
        elif all(found.bin.node for found in self.placed[placed:]):
            self.admit += wanted.pods

    def _find_out(self, wanted: demand.Demand) -> deque[views.PodView]:
        """Try an offer that one claim at a time may try, or keep the claim that does.

        The pods that are left; all of them where something else stands in the way.
        """
        waiting = deque(wanted.pods)
        if not any(map(self._is_tried, offerings.offers(wanted.spec, wanted.rules))):
            return waiting
        self.use_own(wanted, waiting)
        if waiting and not isinstance(offer := self._choose(wanted), Reason):
            probe = self._purchase(wanted, offer, next(self._fresh_names(wanted)))
            self._add(probe, wanted, waiting)
        return waiting

    def _is_tried(self, offer: offerings.Offer) -> bool:
        """Whether one claim at a time finds out if it can be had."""
        barred = any(one in self._past.barred for one in offer.wider)
        probed = any(one in self._past.probed for one in offer.wider)
        paused = self._past.pause is not None and self._past.careful
        return not barred and (probed or paused)

    def _undo(self, bought: int, placed: int, left: int) -> None:
        self._stock.take_back(self.placed[placed:])
        for claim in self.create[bought:]:
            self._stock.remove(expected(claim))
            self._account.add(claim.workload.key, claim.offer, -1)
            self._taken.discard(claim.name)
        del self.create[bought:], self.placed[placed:], self.unplaced[left:]

    def _choose(self, wanted: demand.Demand) -> offerings.Offer | Reason:
        spec, past = wanted.spec, self._past
        if spec.gpus == 0:
            return reasons.no_gpu_asked()
        offers = offerings.offers(spec, wanted.rules)
        if not offers:
            return reasons.no_offer(spec, wanted.rules)
        if past.pause and not (past.careful and not self._account.all_launching):
            return past.pause
        offer = next((one for one in offers if self._is_open(one)), None)
        if offer is None:
            return reasons.all_refused(offers, past.barred)
        return self._account.against(wanted.workload, offer) or offer

    def _is_open(self, offer: offerings.Offer) -> bool:
        """Whether it was not refused lately, and no other claim is finding out if it can be had."""
        if any(one in self._past.barred for one in offer.wider):
            return False
        probed = any(one in self._past.probed for one in offer.wider)
        return not (probed and self._account.launching(offer))

    def _purchase(self, wanted: demand.Demand, offer: offerings.Offer, name: str) -> NewClaim:
        spec = wanted.spec
        return NewClaim(
            name=name,
            workload=wanted.workload,
            offer=offer,
            resource=spec.gpu_resource,
            gpus=offerings.gpus(offer.instance_type, spec.gpus),
            attempt=self._attempt(wanted.workload),
            offers=offerings.offers(spec, wanted.rules),
        )

    def _fresh_names(self, wanted: demand.Demand) -> Iterator[str]:
        attempt = self._attempt(wanted.workload)
        every = (names.claim(wanted.workload, wanted.spec, slot, attempt) for slot in count())
        return (name for name in every if name not in self._taken)

    def _attempt(self, workload: views.Workload) -> int:
        return self._past.attempts.get(workload.key, 0)
