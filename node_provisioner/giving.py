"""Claims that go: refused, never usable, or needed by no pod; and what is told of them."""

from collections.abc import Iterator

from kubeapi import api, objects
from kubeapi.events import Reason
from node_provisioner import (
    draining,
    lifecycle,
    metrics,
    nodeclaims,
    plan,
    reasons,
    refusals,
    settings,
    telling,
    upkeep,
    views,
    voice,
)
from node_provisioner.draining import Use
from node_provisioner.refusals import Kind
from node_provisioner.telling import Sentence
from node_provisioner.upkeep import Seen
from telemetry import logs

_HOPELESS = (Kind.CAPACITY, Kind.QUOTA, Kind.UNSOLD, Kind.NODE_CLASS)
"""Kinds of trouble that end a claim that its provider would keep for minutes."""

_LATE_SECONDS = 10.0
"""A node that was closed is not closed again for so long, though its watch does not show it."""


class Keeper:
    """Ends claims, and says why."""

    def __init__(
        self,
        cluster: api.Api,
        cloud: nodeclaims.NodeClaims,
        past: lifecycle.Lifecycle,
        said: voice.Voice,
        *,
        counted: metrics.Metrics,
        chosen: settings.Settings,
    ) -> None:
        self._voice = said
        self._cloud = cloud
        self._past = past
        self._metrics = counted
        self._settings = chosen
        self._upkeep = upkeep.Upkeep(chosen)
        self._nodes = draining.Nodes(cluster)
        self._closing: dict[str, float] = {}
        """Until when the watch may take to show that a node was closed."""
        self._told: list[Sentence] = []

    def explain(self, claim: views.ClaimView, now: float) -> None:
        """Find out why a claim ended before its node was usable, and learn from it.

        What its conditions say is a reason where there is no machine, or was one for long: until
        then they say what its provider waits for.
        """
        words = self._cloud.last_words(claim)
        if words is None:
            self._past.forgive(claim)
            return
        waited = claim.launched and not self._past.ran(claim, now)
        self.refuse(claim, words if waited else claim.trouble or words, now)

    def refuse(self, claim: views.ClaimView, words: str, now: float) -> None:
        """Learn from a purchase that came to nothing."""
        refusal = refusals.of(words)
        if not self._past.refuse(claim, refusal, now):
            return
        self._metrics.count(f"refused_{refusal.kind.name.lower()}")
        logs.warning(
            "claim_refused", claim=claim.key, offer=claim.offer, kind=refusal.kind.name.lower()
        )
        self._told += _ends(claim, reasons.refused(claim.key, claim.offer, refusal.sentence))

    def take_told(self) -> list[Sentence]:
        """What is to be told, since the last call."""
        told, self._told = self._told, []
        return told

    def work(self, seen: Seen, decided: plan.Plan, now: float, *, live: bool) -> None:
        """Do what is due. Deletes nothing unless what is seen is `live`."""
        self._upkeep.update(seen, decided, now)
        self._closing = {key: until for key, until in self._closing.items() if now < until}
        if live:
            for claim in self._upkeep.needless(now):
                self._give_back(claim, _node_of(claim, seen), now)
            self._reopen(seen)
            self._end_hopeless(seen, now)
        self._metrics.leaked = len(self._upkeep.leaked(now))
        self._told += self._overdue_words(seen, now)

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something is due."""
        return self._upkeep.deadlines(now)

    def _give_back(self, claim: views.ClaimView, node: views.NodeView | None, now: float) -> None:
        """One step: close the node, then look again, then delete the claim."""
        if node is not None:
            if not node.draining and node.key in self._closing:
                return  # it was closed, and the watch is late
            use = self._nodes.use(node)
            if use is Use.PODS:
                self._upkeep.keep(claim, now)
                self._open(node)
                return
            if not self._is_closed(node, now) or use is not Use.NONE:
                return
        seconds = self._upkeep.patience(claim)
        reason = reasons.given_back(claim.key, claim.offer, seconds)
        about_claim, about_workload = _ends(claim, reason)
        self._past.released(claim)
        # Said first: by this another planner knows that its end is no refusal.
        self._voice.say([about_claim])
        self._cloud.delete(claim)
        self._told.append(about_workload)
        self._upkeep.keep(claim, now)  # it is going: not again at once
        self._metrics.count("given_back")
        logs.info("claim_released", claim=claim.key, offer=claim.offer)

    def _is_closed(self, node: views.NodeView, now: float) -> bool:
        """Whether no pod is on its way there any more; closes it where it is open."""
        if node.cordoned:
            return True
        if not node.draining:
            self._nodes.close(node)
            self._closing[node.key] = now + _LATE_SECONDS
            logs.info("node_closed", node=node.key, claim=node.claim)
        return node.draining and self._upkeep.is_settled(node, now)

    def _reopen(self, seen: Seen) -> None:
        """Open the nodes that we closed and that are needed after all.

        What is idle stays closed, whoever closed it: one planner may know of it for longer than
        another, and they must not take turns.
        """
        staying = {
            claim.key
            for claim in seen.claims
            if not (claim.terminating or self._past.is_done(claim))
            and not self._upkeep.is_idle(claim.key)
        }
        for node in seen.nodes:
            if node.claim in staying:
                self._open(node)

    def _open(self, node: views.NodeView) -> None:
        if node.draining:
            self._nodes.open(node)
            logs.info("node_opened", node=node.key, claim=node.claim)

    def _end_hopeless(self, seen: Seen, now: float) -> None:
        """Claims that can come to nothing any more, though their provider keeps them."""
        limit = self._settings.launch_timeout_seconds
        for claim in self._upkeep.overdue(now):
            lacking = claim.trouble or "its provider says nothing"
            self._end(claim, f"not usable after {limit:g} s: {lacking}", now)
        for claim in seen.claims:
            if claim.launched or claim.terminating or not claim.trouble:
                continue
            if refusals.of(claim.trouble).kind in _HOPELESS:
                self._end(claim, claim.trouble, now)

    def _end(self, claim: views.ClaimView, words: str, now: float) -> None:
        if self._past.is_done(claim):
            return
        self._cloud.delete(claim)
        self.refuse(claim, words, now)

    def _overdue_words(self, seen: Seen, now: float) -> Iterator[Sentence]:
        for claim in self._upkeep.stuck(now):
            reason = reasons.stuck(claim.key, upkeep.STUCK_SECONDS)
            yield Sentence(telling.claim(claim), reason, claim.uid)
        leaked = self._upkeep.leaked(now)
        for node in seen.nodes:
            if node.key in leaked:
                reason = reasons.leaked(node.key, node.claim)
                yield Sentence(telling.node(node.key), reason, node.claim)


def _ends(claim: views.ClaimView, reason: Reason) -> tuple[Sentence, Sentence]:
    """The same for the claim, and for the workload that it was bought for."""
    namespace, _, label = claim.workload.partition("/")
    workload = objects.Workload(namespace, *label.partition("/")[::2])
    return Sentence(telling.claim(claim), reason, claim.uid), Sentence(workload, reason, claim.uid)


def _node_of(claim: views.ClaimView, seen: Seen) -> views.NodeView | None:
    found = (n for n in seen.nodes if claim.key == n.claim or (n.key and n.key == claim.node))
    return next(found, None)
