"""The loop: gather what the mirrors show, decide purely, act once, say why."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kubeapi import api, events, host, mirror, passes
from node_provisioner import (
    ages,
    demand,
    freshness,
    lifecycle,
    nodeclaims,
    plan,
    rate,
    reclaim,
    refusals,
    settings,
    supply,
    telling,
    views,
)
from presets import annotations
from telemetry import logs

REPORTER = "plainsail-node-provisioner"
_CREATES = 1000
_CREATES_PER_SECOND = 50
"""Claims created at once and in the long run: a brake on whatever other limits miss."""
_EVENTS_PER_PASS = 100
_SOON_SECONDS = 0.2


@dataclass(frozen=True)
class Seen:
    """What one pass decides from."""

    pods: tuple[views.PodView, ...]
    nodes: tuple[views.NodeView, ...]
    claims: tuple[views.ClaimView, ...]
    """In the cluster, and created by us a moment ago."""


class Planner:
    """Keeps the cluster's claims as its pods need them."""

    def __init__(
        self,
        cluster: api.Api,
        chosen: settings.Settings,
        on: host.Host = host.REAL,
    ) -> None:
        self._api = cluster
        self._settings = chosen
        self._clock = on.monotonic
        self._passes = passes.Passes(
            on,
            idle_seconds=chosen.batch_idle_seconds,
            longest_seconds=chosen.batch_longest_seconds,
        )
        wake = self._passes.wake
        unfinished = "status.phase!=Succeeded,status.phase!=Failed"
        pods = mirror.Source("/api/v1/pods", views.pod, fields=unfinished)
        claims = mirror.Source(nodeclaims.PATH, views.claim, labels=annotations.CLAIM)
        self._pods = mirror.Mirror(cluster, pods, wake, on)
        nodes = mirror.Source("/api/v1/nodes", views.node)
        self._nodes = mirror.Mirror(cluster, nodes, wake, on)
        self._claims = mirror.Mirror(cluster, claims, wake, on)
        self._mirrors = (self._pods, self._nodes, self._claims)
        self._cloud = nodeclaims.NodeClaims(cluster, chosen.dialect)
        self._events = events.Recorder(cluster, REPORTER, on.now)
        self._past = lifecycle.Lifecycle()
        self._fresh = freshness.Freshness()
        self._idle, self._launching = ages.Ages(), ages.Ages()
        bucket = rate.TokenBucket
        self._bucket = bucket(capacity=_CREATES, per_second=_CREATES_PER_SECOND, now=on.monotonic())

    def run(self, stop: host.Flag) -> None:
        """Plan until `stop` is set, whatever happens on the way."""
        self._passes.run(self.run_pass, self._mirrors, stop)

    def wake(self) -> None:
        """Let the loop look now, for example at its stop."""
        self._passes.wake()

    def run_pass(self) -> float | None:
        """Decide and act on what is known; seconds until it must look again without a change."""
        if not all(kept.synced for kept in self._mirrors):
            return None
        now = self._clock()
        seen = self._look(now)
        decided = self._decide(seen, now)
        bought = self._buy(decided, now)
        self._give_back(seen, now)
        complete = self._say(seen, decided, bought) and len(bought) == len(decided.create)
        return min(self._deadlines(decided, now), default=None) if complete else _SOON_SECONDS

    def _look(self, now: float) -> Seen:
        for claim in self._past.overdue(now):
            if self._cloud.has(claim):
                self._past.created(claim, now)  # the watch is late
        gone = self._claims.take_gone()
        present = self._claims.views()
        for claim in self._past.observe(present, gone, now):
            self._refuse(claim, claim.trouble or self._cloud.last_words(claim), now)
        seen = Seen(self._pods.views(), self._nodes.views(), (*present, *self._past.unseen()))
        self._fresh.update(seen.pods, seen.nodes, seen.claims, now)
        return seen

    def _refuse(self, claim: views.ClaimView, words: str, now: float) -> None:
        refusal = refusals.of(words)
        self._past.refuse(claim, refusal, now)
        logs.warning(
            "claim_refused", claim=claim.key, offer=claim.offer, kind=refusal.kind.name.lower()
        )

    def _decide(self, seen: Seen, now: float) -> plan.Plan:
        return plan.plan(
            demand.unmet(seen.pods),
            supply.bins(seen.pods, seen.nodes, seen.claims, fresh=self._fresh.keys(now)),
            self._settings.limits,
            self._past.past((claim.key for claim in seen.claims), now),
            existing=seen.claims,
        )

    def _buy(self, decided: plan.Plan, now: float) -> tuple[str, ...]:
        """Create the plan's claims; names of those that could be."""
        bought: list[str] = []
        for claim in decided.create:
            if not self._bucket.take(now):
                break
            try:
                self._past.created(self._cloud.create(claim), now)
            except nodeclaims.NameTaken:
                self._past.avoid_name(claim.name)
                logs.warning("claim_name_taken", claim=claim.name)
                break
            except api.Rejected as error:
                self._past.bar(claim.offer, error.message, now)
                logs.failure("claim_rejected", claim=claim.name, error=error)
                break
            except (api.Forbidden, api.NotFound) as error:
                self._past.fail(f"NodeClaims cannot be created: {error}", now)
                logs.failure("claim_not_created", claim=claim.name, error=error)
                break
            bought.append(claim.name)
            _tell_bought(claim)
        return tuple(bought)

    def _give_back(self, seen: Seen, now: float) -> None:
        needless = reclaim.needless(seen.pods, seen.nodes, seen.claims)
        self._idle.update({claim.key: claim.uid for claim in needless}, now)
        waiting = {c.key: c.uid for c in seen.claims if not c.initialized and not c.terminating}
        self._launching.update(waiting, now)
        if not all(kept.live for kept in self._mirrors):
            return  # an old picture is good enough to buy from, as names repeat, not to delete from
        by_key = {claim.key: claim for claim in seen.claims}
        for key in self._idle.older(self._settings.idle_ttl_seconds, now):
            self._release(by_key[key], seen, now)
        timeout = self._settings.launch_timeout_seconds
        for key in self._launching.older(timeout, now):
            lacking = by_key[key].trouble or "its provider says nothing"
            self._refuse(by_key[key], f"not usable after {timeout:g} s: {lacking}", now)
            self._cloud.delete(by_key[key])
            self._launching.restart(key, now)
            logs.warning("claim_timed_out", claim=key)

    def _release(self, claim: views.ClaimView, seen: Seen, now: float) -> None:
        self._idle.restart(claim.key, now)
        bought = (node.key for node in seen.nodes if node.claim == claim.key)
        silent = {node.key for node in seen.nodes if not node.ready}
        if any(self._held(node, silent) for node in sorted({claim.node, *bought} - {""})):
            return
        self._past.released(claim)
        self._cloud.delete(claim)
        logs.info("claim_released", claim=claim.key, offer=claim.offer)

    def _held(self, node: str, silent: Collection[str]) -> bool:
        listed = self._api.get("/api/v1/pods", {"fieldSelector": f"spec.nodeName={node}"})
        return any(reclaim.holds(pod, silent=node in silent) for pod in listed.get("items") or ())

    def _say(self, seen: Seen, decided: plan.Plan, bought: Collection[str]) -> bool:
        """Tell the waiting pods; False: some are left for the next pass."""
        self._events.keep({pod.uid for pod in seen.pods})
        said = 0
        known = telling.Known(bought, self._past.because, self._events.topic)
        for pod, reason, topic in telling.sentences(seen.pods, decided, known):
            if self._events.topic(pod.uid, reason.code) == topic:
                continue
            if said == _EVENTS_PER_PASS:
                return False
            about = events.Subject("v1", "Pod", pod.namespace, pod.name, pod.uid)
            self._events.tell(about, reason, topic)
            said += 1
        return True

    def _deadlines(self, decided: plan.Plan, now: float) -> Iterator[float]:
        chosen = self._settings
        yield from (left for _, left in self._idle.younger(chosen.idle_ttl_seconds, now))
        yield from (left for _, left in self._launching.younger(chosen.launch_timeout_seconds, now))
        if decided.placed or decided.unplaced:
            yield from self._past.deadlines(now)
            yield from self._fresh.deadlines(now)


def _tell_bought(claim: plan.NewClaim) -> None:
    logs.info(
        "claim_created",
        claim=claim.name,
        workload=f"{claim.workload.kind}/{claim.workload.namespace}/{claim.workload.name}",
        offer=claim.offer,
        attempt=claim.attempt + 1,
    )
