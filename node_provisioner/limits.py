"""How much may be bought, and how much of that is left."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from kubeapi.events import Reason
from node_provisioner import offerings, reasons, views


@dataclass(frozen=True)
class Limits:
    """Claims of ours at any time; None: no limit."""

    claims: int
    """In the whole cluster."""
    per_namespace: int | None = None
    per_workload: int | None = None
    per_hour: int | None = None
    """Microdollars that all claimed nodes may cost together."""


class Account:
    """What is bought already and in the plan in the making."""

    def __init__(self, limits: Limits, existing: Iterable[views.ClaimView]) -> None:
        self._limits = limits
        self._count: Counter[str] = Counter()
        self._per_hour = 0
        self._launching: Counter[offerings.Offer] = Counter()
        for claim in existing:
            self.add(claim.workload, claim.offer, launching=not claim.launched)

    def launching(self, offer: offerings.Offer) -> int:
        """Claims of which nobody knows yet whether they can be had."""
        return self._launching[offer]

    @property
    def all_launching(self) -> int:
        """The same of all offers together."""
        return self._launching.total()

    def add(
        self, workload: str, offer: offerings.Offer, times: int = 1, *, launching: bool = True
    ) -> None:
        """Count a purchase for a workload (namespace/Kind/name); -1 takes it back."""
        self._launching[offer] += times * launching
        for key in (_CLUSTER, workload.partition("/")[0], workload):
            self._count[key] += times
        self._per_hour += times * (offer.per_hour or 0)

    def against(self, workload: views.Workload, offer: offerings.Offer) -> Reason | None:
        """Which limit one more purchase would break."""
        limits, count = self._limits, self._count
        if count[_CLUSTER] >= limits.claims:
            return reasons.cluster_limit(limits.claims)
        if limits.per_namespace is not None and count[workload.namespace] >= limits.per_namespace:
            return reasons.namespace_limit(workload.namespace, limits.per_namespace)
        if limits.per_workload is not None and count[workload.key] >= limits.per_workload:
            return reasons.workload_limit(workload.label, limits.per_workload)
        return None if limits.per_hour is None else self._too_dear(offer, limits.per_hour)

    def _too_dear(self, offer: offerings.Offer, most: int) -> Reason | None:
        if offer.per_hour is None:
            return reasons.unpriced(offer)
        if self._per_hour + offer.per_hour > most:
            return reasons.price_limit(offer, self._per_hour, most)
        return None


_CLUSTER = ""
"""No namespace has this name."""
