"""What became of our purchases: which are still unseen, which were refused, what to avoid now."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from node_provisioner import bars, offerings, plan, reasons, refusals, views
from node_provisioner.refusals import Kind

_UNSEEN_SECONDS = 10.0
"""A claim that was created and never appeared in the watch for this long is gone."""
_PAUSE_SECONDS, _PAUSES = 2.0, 5
"""First pause after a failure that nobody blames on an offer, doubled; then the circuit opens."""
LATE_SECONDS = 2.0
"""A provider's words may come so much later than the end of the claim that they explain."""
_BRIEF_SECONDS = 600.0
"""No provider gives up a machine that it has started so soon: Karpenter takes 15 minutes."""


class Lifecycle:
    """Memory of this process; losing it costs a repeated attempt, never a doubled node."""

    def __init__(self) -> None:
        self._unseen: dict[str, tuple[views.ClaimView, float]] = {}
        self._done: set[str] = set()
        self._mute: dict[str, tuple[views.ClaimView, float]] = {}
        """Claims that ended without a word, by uid, and when to ask once more."""
        self._launched: dict[str, float] = {}
        """Since when, by uid."""
        self._initialized: set[str] = set()
        self._bars: bars.Bars[offerings.Offer] = bars.Bars()
        self._unexplained: bars.Bars[offerings.Offer] = bars.Bars(
            _PAUSE_SECONDS, growth=2, failures=_PAUSES
        )
        self._pauses: bars.Bars[str] = bars.Bars(_PAUSE_SECONDS, growth=2, failures=_PAUSES)
        self._attempts: Counter[str] = Counter()
        self._because: dict[str, str] = {}
        self._foreign: set[str] = set()

    def created(self, claim: views.ClaimView, now: float) -> None:
        """Count on a claim before the watch shows it; again for one that is found to be there."""
        self._unseen[claim.uid] = (claim, now + _UNSEEN_SECONDS)
        self._pauses.succeed("create")

    def overdue(self, now: float, shown: Collection[str]) -> tuple[views.ClaimView, ...]:
        """Claims that the watch should have shown by now: they are gone, or the watch is late.

        `shown`: those that it does show now, by uid.
        """
        unseen = self._unseen.items()
        return tuple(of for uid, (of, due) in unseen if due <= now and uid not in shown)

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
        self._keep({claim.uid for claim in (*present, *gone)} | self._unseen.keys())
        for claim in (*present, *gone):
            self._unseen.pop(claim.uid, None)
            self._succeed(claim, now)
        lost = [claim for claim, deadline in self._unseen.values() if deadline <= now]
        ending = [*gone, *(claim for claim in present if claim.terminating), *lost]
        settled = self._done | self._initialized
        ended = tuple(claim for claim in ending if claim.uid not in settled)
        self._done.update(claim.uid for claim in ended)
        for claim in lost:
            self._unseen.pop(claim.uid, None)
        return ended

    def unexplained(self, now: float) -> tuple[views.ClaimView, ...]:
        """Claims that ended without a word and that are to be asked about once more."""
        return tuple(claim for claim, due in self._mute.values() if due <= now)

    def refuse(self, claim: views.ClaimView, refusal: refusals.Refusal, now: float) -> bool:
        """Leave alone what was refused, and let the workload's next purchase be a new one.

        False: nothing was said, and it is to be asked about once more before it is told.
        """
        asked = self._mute.pop(claim.uid, None) is not None
        self._done.add(claim.uid)
        self._because[claim.workload] = reasons.withdrawn(claim.key, claim.offer, refusal.sentence)
        if refusal.kind is Kind.NODE_CLASS:
            self._pauses.refuse("node class", refusal.sentence, now)
        elif refusal.text:
            self._unexplained.succeed(claim.offer)
            self._bars.refuse(_barred(claim.offer, refusal.kind), refusal.sentence, now)
        elif not asked:
            self._mute[claim.uid] = claim, now + LATE_SECONDS
            if not self._was_taken(claim):
                self._unexplained.refuse(claim.offer, refusal.sentence, now)
        if not asked:
            self._attempts[claim.workload] += 1
        return asked or bool(refusal.text)

    def forgive(self, claim: views.ClaimView) -> None:
        """Another planner gave it back: there is nothing to explain."""
        self._mute.pop(claim.uid, None)

    def ran(self, claim: views.ClaimView, now: float) -> bool:
        """Whether a claim had its machine for longer than providers wait for what lacks yet."""
        return now - self._launched.get(claim.uid, now) >= _BRIEF_SECONDS

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
            barred=self._unexplained.barred(now) | self._bars.barred(now),
            probed=self._unexplained.probed(now) | self._bars.probed(now),
            attempts=dict(self._attempts),
            pause=reasons.paused(why) if why else None,
            careful=not stopped,
        )

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something here changes by itself."""
        yield from (deadline - now for _, deadline in self._unseen.values())
        yield from (due - now for _, due in self._mute.values())
        yield from self._bars.deadlines(now)
        yield from self._unexplained.deadlines(now)
        yield from self._pauses.deadlines(now)

    def _was_taken(self, claim: views.ClaimView) -> bool:
        """Whether somebody else ended it: there was a machine. Not for ever, if it goes on."""
        return claim.launched and self._attempts[claim.workload] < bars.FAILURES

    def _keep(self, uids: Collection[str]) -> None:
        self._done.intersection_update(uids)
        self._initialized.intersection_update(uids)
        self._launched = {uid: at for uid, at in self._launched.items() if uid in uids}

    def _succeed(self, claim: views.ClaimView, now: float) -> None:
        if claim.launched and claim.uid not in self._launched:
            self._launched[claim.uid] = now
            self._pauses.succeed("node class")
            self._unexplained.succeed(claim.offer)
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
