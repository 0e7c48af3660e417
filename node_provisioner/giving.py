"""Claims that go: refused, never usable, or needed by no pod; and what is told of them."""

from collections.abc import Collection, Iterator

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
)
from node_provisioner.draining import Use
from node_provisioner.refusals import Kind
from node_provisioner.telling import Sentence
from node_provisioner.upkeep import Seen
from telemetry import logs

_HOPELESS = (Kind.CAPACITY, Kind.QUOTA, Kind.UNSOLD, Kind.NODE_CLASS)
"""Kinds of trouble that end a claim that its provider would keep for minutes."""


class Keeper:
    """Ends claims, and says why."""

    def __init__(
        self,
        cluster: api.Api,
        cloud: nodeclaims.NodeClaims,
        past: lifecycle.Lifecycle,
        counted: metrics.Metrics,
        chosen: settings.Settings,
    ) -> None:
        self._cloud = cloud
        self._past = past
        self._metrics = counted
        self._settings = chosen
        self._upkeep = upkeep.Upkeep(chosen)
        self._nodes = draining.Nodes(cluster)
        self._told: list[Sentence] = []

    def refuse(self, claim: views.ClaimView, words: str, now: float) -> None:
        """Learn from a purchase that came to nothing."""
        refusal = refusals.of(words)
        self._past.refuse(claim, refusal, now)
        self._metrics.count(f"refused_{refusal.kind.name.lower()}")
        logs.warning(
            "claim_refused", claim=claim.key, offer=claim.offer, kind=refusal.kind.name.lower()
        )
        reason = reasons.refused(claim.key, claim.offer, refusal.sentence)
        self._tell(claim, reason)

    def take_told(self) -> list[Sentence]:
        """What is to be told, since the last call."""
        told, self._told = self._told, []
        return told

    def work(self, seen: Seen, decided: plan.Plan, now: float, *, live: bool) -> None:
        """Do what is due. Deletes nothing unless what is seen is `live`."""
        self._upkeep.update(seen, decided, now)
        if live:
            due = self._upkeep.needless(now)
            going = {c.key for c in due if self._give_back(c, _node_of(c, seen), now)}
            self._reopen(seen, going)
            self._end_hopeless(seen, now)
        self._metrics.leaked = len(self._upkeep.leaked(now))
        self._told += self._overdue_words(seen, now)

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something is due."""
        return self._upkeep.deadlines(now)

    def _give_back(self, claim: views.ClaimView, node: views.NodeView | None, now: float) -> bool:
        """One step: close the node, then look again, then delete the claim; False: it is used."""
        if node is not None:
            use = self._nodes.use(node)
            if use is Use.PODS:
                self._upkeep.keep(claim, now)
                return False
            if not self._is_closed(node, now) or use is not Use.NONE:
                return True
        seconds = self._settings.idle_ttl_seconds if claim.initialized else 0.0
        self._past.released(claim)
        self._cloud.delete(claim)
        self._upkeep.keep(claim, now)  # it is going: not again at once
        self._metrics.count("given_back")
        logs.info("claim_released", claim=claim.key, offer=claim.offer)
        self._tell(claim, reasons.given_back(claim.key, claim.offer, seconds))
        return True

    def _is_closed(self, node: views.NodeView, now: float) -> bool:
        """Whether no pod is on its way there any more; closes it where it is open."""
        if node.cordoned:
            return True
        if not node.draining:
            self._nodes.close(node)
            logs.info("node_closed", node=node.key, claim=node.claim)
        return node.draining and self._upkeep.is_settled(node, now)

    def _reopen(self, seen: Seen, going: Collection[str]) -> None:
        """Open the nodes that we closed and that are needed after all."""
        staying = {
            claim.key
            for claim in seen.claims
            if not (claim.terminating or claim.key in going or self._past.is_done(claim))
        }
        for node in seen.nodes:
            if node.draining and node.claim in staying:
                self._nodes.open(node)
                logs.info("node_opened", node=node.key, claim=node.claim)

    def _end_hopeless(self, seen: Seen, now: float) -> None:
        """Claims that can come to nothing any more, though their provider keeps them."""
        limit = self._settings.launch_timeout_seconds
        for claim in self._upkeep.overdue(now):
            lacking = claim.trouble or "its provider says nothing"
            self._end(claim, f"not usable after {limit:g} s: {lacking}", now)
        for claim in seen.claims:
            known = refusals.of(claim.trouble).kind
            if not (claim.launched or claim.terminating) and known in _HOPELESS:
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

    def _tell(self, claim: views.ClaimView, reason: Reason) -> None:
        """The claim, and the workload that it was bought for."""
        namespace, _, label = claim.workload.partition("/")
        workload = objects.Workload(namespace, *label.partition("/")[::2])
        for about in (telling.claim(claim), workload):
            self._told.append(Sentence(about, reason, claim.uid))


def _node_of(claim: views.ClaimView, seen: Seen) -> views.NodeView | None:
    found = (n for n in seen.nodes if claim.key == n.claim or (n.key and n.key == claim.node))
    return next(found, None)
