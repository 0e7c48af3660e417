"""What became of our purchases: which are still unseen, which were refused, what to avoid now."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from node_provisioner import offerings, plan, reasons, views

_BAR_SECONDS = 15.0
_BAR_LIMIT_SECONDS = 600.0
"""A refused offer is left alone this long, doubled at each refusal in a row; a provider that is
out of capacity usually stays so for minutes, and a bad node class until someone mends it."""
_UNSEEN_SECONDS = 10.0
"""A claim that was created and never appeared in the watch for this long is gone."""


@dataclass(frozen=True)
class _Bar:
    until: float
    seconds: float


class Lifecycle:
    """Memory of this process; losing it costs a repeated attempt, never a doubled node."""

    def __init__(self) -> None:
        self._unseen: dict[str, tuple[views.ClaimView, float]] = {}
        self._done: set[str] = set()
        self._initialized: set[str] = set()
        self._bars: dict[offerings.Offer, _Bar] = {}
        self._attempts: Counter[str] = Counter()
        self._because: dict[str, str] = {}
        self._foreign: set[str] = set()

    def created(self, claim: views.ClaimView, now: float) -> None:
        """Count on a claim before the watch shows it."""
        self._unseen[claim.uid] = (claim, now + _UNSEEN_SECONDS)

    def released(self, claim: views.ClaimView) -> None:
        """Its end is our own wish, not a refusal."""
        self._done.add(claim.uid)

    def avoid_name(self, name: str) -> None:
        """The name belongs to something else."""
        self._foreign.add(name)

    def observe(
        self, present: Iterable[views.ClaimView], gone: Iterable[views.ClaimView], now: float
    ) -> tuple[views.ClaimView, ...]:
        """Take what the watch shows; the claims that were refused since the last call."""
        present, gone = tuple(present), tuple(gone)
        for claim in (*present, *gone):
            self._unseen.pop(claim.uid, None)
        lost = [claim for claim, deadline in self._unseen.values() if deadline <= now]
        ending = [*gone, *(claim for claim in present if claim.terminating), *lost]
        for claim in (*present, *gone):
            self._succeed(claim)
        settled = self._done | self._initialized
        refused = tuple(claim for claim in ending if claim.uid not in settled)
        for claim in refused:
            self.refuse(claim, now)
        for claim in (*gone, *lost):
            self._unseen.pop(claim.uid, None)
            self._done.discard(claim.uid)
            self._initialized.discard(claim.uid)
        return refused

    def refuse(self, claim: views.ClaimView, now: float) -> None:
        """Leave its offer alone for a while, and let the workload's next purchase be a new one."""
        self._done.add(claim.uid)
        offer = _offer(claim)
        self._attempts[claim.workload] += 1
        self._because[claim.workload] = reasons.withdrawn(claim.key, offer)
        self.bar(offer, now)

    def bar(self, offer: offerings.Offer, now: float) -> None:
        """Leave an offer alone for a while."""
        last = self._bars.get(offer)
        recent = last is not None and now < last.until + _BAR_LIMIT_SECONDS
        seconds = min(last.seconds * 2, _BAR_LIMIT_SECONDS) if last and recent else _BAR_SECONDS
        self._bars[offer] = _Bar(now + seconds, seconds)

    def unseen(self) -> tuple[views.ClaimView, ...]:
        """Claims that were created and that the watch has not shown yet."""
        return tuple(claim for claim, _ in self._unseen.values())

    def because(self, workload: str) -> str:
        """Why the workload's last purchase failed; empty: none did."""
        return self._because.get(workload, "")

    def past(self, names: Iterable[str], now: float) -> plan.Past:
        """What the next plan is to know; `names` are those of all claims that exist."""
        barred = frozenset(offer for offer, bar in self._bars.items() if now < bar.until)
        return plan.Past(self._foreign.union(names), barred, dict(self._attempts))

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something here changes by itself."""
        yield from (deadline - now for _, deadline in self._unseen.values())
        yield from (bar.until - now for bar in self._bars.values() if now < bar.until)

    def _succeed(self, claim: views.ClaimView) -> None:
        if claim.initialized and claim.uid not in self._initialized:
            self._initialized.add(claim.uid)
            self._bars.pop(_offer(claim), None)
            self._attempts.pop(claim.workload, None)
            self._because.pop(claim.workload, None)


def _offer(claim: views.ClaimView) -> offerings.Offer:
    return offerings.Offer(claim.instance_type, claim.capacity_type)
