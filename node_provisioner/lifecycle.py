"""What became of our purchases: which are still unseen, which were refused, what to avoid now."""

from collections import Counter
from collections.abc import Iterable, Iterator

from node_provisioner import bars, offerings, plan, reasons, refusals, views
from node_provisioner.refusals import Kind

_UNSEEN_SECONDS = 10.0
"""A claim that was created and never appeared in the watch for this long is gone."""
_PAUSE_SECONDS, _PAUSES = 2.0, 5
"""First pause after a failure that is not about one offer, doubled; then the circuit opens."""


class Lifecycle:
    """Memory of this process; losing it costs a repeated attempt, never a doubled node."""

    def __init__(self) -> None:
        self._unseen: dict[str, tuple[views.ClaimView, float]] = {}
        self._done: set[str] = set()
        self._launched: set[str] = set()
        self._initialized: set[str] = set()
        self._bars: bars.Bars[offerings.Offer] = bars.Bars()
        self._pauses: bars.Bars[str] = bars.Bars(_PAUSE_SECONDS, growth=2, failures=_PAUSES)
        self._attempts: Counter[str] = Counter()
        self._because: dict[str, str] = {}
        self._foreign: set[str] = set()

    def created(self, claim: views.ClaimView, now: float) -> None:
        """Count on a claim before the watch shows it; again for one that is found to be there."""
        self._unseen[claim.uid] = (claim, now + _UNSEEN_SECONDS)
        self._pauses.succeed("create")

    def overdue(self, now: float) -> tuple[views.ClaimView, ...]:
        """Claims that the watch should have shown: they are gone, or the watch is late."""
        return tuple(claim for claim, deadline in self._unseen.values() if deadline <= now)

    def released(self, claim: views.ClaimView) -> None:
        """Its end is our own wish, not a refusal."""
        self._done.add(claim.uid)

    def is_done(self, claim: views.ClaimView) -> bool:
        """Whether its end is known already."""
        return claim.uid in self._done

    def avoid_name(self, name: str) -> None:
        """The name belongs to something else."""
        self._foreign.add(name)

    def observe(
        self, present: Iterable[views.ClaimView], gone: Iterable[views.ClaimView], now: float
    ) -> tuple[views.ClaimView, ...]:
        """Take what the watch shows; the claims that ended before their node was usable.

        Each is told once; what it means is for the caller to find out and to `refuse`.
        """
        present, gone = tuple(present), tuple(gone)
        for claim in (*present, *gone):
            self._unseen.pop(claim.uid, None)
            self._succeed(claim)
        lost = [claim for claim, deadline in self._unseen.values() if deadline <= now]
        ending = [*gone, *(claim for claim in present if claim.terminating), *lost]
        settled = self._done | self._initialized
        ended = tuple(claim for claim in ending if claim.uid not in settled)
        self._done.update(claim.uid for claim in ended)
        for claim in (*gone, *lost):
            self._unseen.pop(claim.uid, None)
            for known in (self._done, self._initialized, self._launched):
                known.discard(claim.uid)
        return ended

    def refuse(self, claim: views.ClaimView, refusal: refusals.Refusal, now: float) -> None:
        """Leave alone what was refused, and let the workload's next purchase be a new one."""
        self._done.add(claim.uid)
        self._attempts[claim.workload] += 1
        self._because[claim.workload] = reasons.withdrawn(claim.key, claim.offer, refusal.sentence)
        if refusal.kind is Kind.NODE_CLASS:
            self._pauses.refuse("node class", refusal.sentence, now)
        else:
            self._bars.refuse(_barred(claim.offer, refusal.kind), refusal.sentence, now)

    def fail(self, why: str, now: float) -> None:
        """No claim could be created, for a reason that repeating it does not change."""
        self._pauses.refuse("create", why, now)

    def bar(self, offer: offerings.Offer, why: str, now: float) -> None:
        """Leave an offer alone for a while."""
        self._bars.refuse(offer, why, now)

    def unseen(self) -> tuple[views.ClaimView, ...]:
        """Claims that were created and that the watch has not shown yet."""
        return tuple(claim for claim, _ in self._unseen.values())

    def because(self, workload: str) -> str:
        """Why the workload's last purchase failed; empty: none did."""
        return self._because.get(workload, "")

    def past(self, names: Iterable[str], now: float) -> plan.Past:
        """What the next plan is to know; `names` are those of all claims that exist."""
        stopped, tried = self._pauses.barred(now), self._pauses.probed(now)
        why = next(iter(stopped.values()), "") or next(map(self._pauses.why, tried), "")
        return plan.Past(
            taken=self._foreign.union(names),
            barred=self._bars.barred(now),
            probed=self._bars.probed(now),
            attempts=dict(self._attempts),
            pause=reasons.paused(why) if why else None,
            careful=not stopped,
        )

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something here changes by itself."""
        yield from (deadline - now for _, deadline in self._unseen.values())
        yield from self._bars.deadlines(now)
        yield from self._pauses.deadlines(now)

    def _succeed(self, claim: views.ClaimView) -> None:
        if claim.launched and claim.uid not in self._launched:
            self._launched.add(claim.uid)
            self._pauses.succeed("node class")
            for offer in claim.offer.wider:
                self._bars.succeed(offer)
        if claim.initialized and claim.uid not in self._initialized:
            self._initialized.add(claim.uid)
            self._attempts.pop(claim.workload, None)
            self._because.pop(claim.workload, None)


def _barred(offer: offerings.Offer, kind: Kind) -> offerings.Offer:
    """A quota is for all zones, and what is not sold is not sold in any way."""
    _, everywhere, of_type = offer.wider
    return {Kind.QUOTA: everywhere, Kind.UNSOLD: of_type}.get(kind, offer)
