"""The loop: gather what the mirrors show, decide purely, act once, say why."""

from collections.abc import Collection, Iterator

from kubeapi import api, events, host, leases, mirror, passes
from node_provisioner import (
    buying,
    demand,
    freshness,
    giving,
    lifecycle,
    metrics,
    nodeclaims,
    plan,
    settings,
    supply,
    telling,
    views,
    voice,
)
from node_provisioner.upkeep import Seen
from presets import annotations

REPORTER = "plainsail-node-provisioner"
_SOON_SECONDS = 0.2


class Planner:
    """Keeps the cluster's claims as its pods need them."""

    def __init__(
        self,
        cluster: api.Api,
        chosen: settings.Settings,
        on: host.Host = host.REAL,
        counted: metrics.Metrics | None = None,
    ) -> None:
        self._clock = on.monotonic
        self._passes = passes.Passes(
            on,
            idle_seconds=chosen.batch_idle_seconds,
            longest_seconds=chosen.batch_longest_seconds,
        )
        self._limits = chosen.limits
        self._watch(cluster, on)
        self._metrics = counted or metrics.Metrics()
        self._cloud = nodeclaims.NodeClaims(cluster, chosen.dialect)
        recorder = events.Recorder(cluster, REPORTER, on.now)
        self._voice = voice.Voice(cluster, recorder, lambda: self._passes.is_pressed, on)
        self._past = lifecycle.Lifecycle()
        self._fresh = freshness.Freshness()
        self._unsaid: list[telling.Sentence] = []
        self._buyer = buying.Buyer(cluster, self._cloud, self._past, self._metrics, on)
        self._keeper = giving.Keeper(
            cluster,
            self._cloud,
            self._past,
            self._voice,
            counted=self._metrics,
            chosen=chosen,
        )
        self._election = (
            leases.Election(cluster, chosen.lease, chosen.identity, self.wake, on)
            if chosen.lease
            else None
        )

    def _watch(self, cluster: api.Api, on: host.Host) -> None:
        def note(_: object) -> None:
            self._passes.note()

        unfinished = "status.phase!=Succeeded,status.phase!=Failed"
        pods = mirror.Source("/api/v1/pods", views.pod, fields=unfinished)
        nodes = mirror.Source("/api/v1/nodes", views.node)
        claims = mirror.Source(nodeclaims.PATH, views.claim, labels=annotations.CLAIM)
        gangs = mirror.Source("/apis/batch/v1/jobs", views.gang)
        self._pods = mirror.Mirror(cluster, pods, self._see_pod, on)
        self._nodes = mirror.Mirror(cluster, nodes, note, on)
        self._claims = mirror.Mirror(cluster, claims, note, on)
        self._gangs = mirror.Mirror(cluster, gangs, note, on)
        self._mirrors = (self._pods, self._nodes, self._claims, self._gangs)

    def _see_pod(self, pod: views.PodView | None) -> None:
        """Pods that nodes are bought for come in bursts; others are seen by the way."""
        if pod is not None and pod.managed and pod.standing in demand.BUYS_A_NODE:
            self._passes.wake()
        else:
            self._passes.note()

    def run(self, stop: host.Flag) -> None:
        """Plan until `stop` is set, whatever happens on the way."""
        elected = (self._election,) if self._election else ()
        self._passes.run(self.run_pass, (*self._mirrors, *elected), stop)
        if self._election:
            self._election.release()

    def wake(self) -> None:
        """Let the loop look now, for example at its stop."""
        self._passes.wake()

    def run_pass(self) -> float | None:
        """Decide and act on what is known; seconds until it must look again without a change."""
        self._metrics.leads = self._election is None or self._election.leads
        self._metrics.unreadable = sum(kept.unreadable for kept in self._mirrors)
        if not self._metrics.leads:
            self._metrics.rest()
            self._claims.take_gone()  # what became of another's purchases is for the other to learn
            return None  # the election wakes us
        if not all(kept.synced for kept in self._mirrors):
            return self._explain_blindness()
        now = self._clock()
        seen = self._look(now)
        decided = self._decide(seen, now)
        bought = self._buyer.buy(decided, now)
        told = self._say_ends() and self._say(seen, decided, bought)
        # An old picture is good enough to buy from, as names repeat, but not to delete from.
        live = all(kept.live for kept in self._mirrors)
        self._keeper.work(seen, decided, now, live=live)
        told = self._say_ends() and told
        self._buyer.admit(decided)
        complete = told and len(bought) == len(decided.create)
        return min(self._deadlines(decided, now), default=None) if complete else _SOON_SECONDS

    def _look(self, now: float) -> Seen:
        gone, present = self._claims.take_gone(), self._claims.views()
        for claim in self._past.overdue(now, {claim.uid for claim in (*present, *gone)}):
            if self._cloud.has(claim):
                self._past.created(claim, now)  # the watch is late
        for claim in (*self._past.unexplained(now), *self._past.observe(present, gone, now)):
            self._keeper.explain(claim, now)
        seen = Seen(self._pods.views(), self._nodes.views(), (*present, *self._past.unseen()))
        self._fresh.update(seen.pods, seen.nodes, seen.claims, now)
        self._metrics.look(seen, now)
        return seen

    def _decide(self, seen: Seen, now: float) -> plan.Plan:
        gangs = {gang.workload: gang.size for gang in self._gangs.views()}
        return plan.plan(
            demand.unmet(seen.pods, gangs),
            supply.bins(seen.pods, seen.nodes, seen.claims, fresh=self._fresh.keys(now)),
            self._limits,
            self._past.past((claim.key for claim in seen.claims), now),
            existing=seen.claims,
        )

    def _say(self, seen: Seen, decided: plan.Plan, bought: Collection[str]) -> bool:
        """Tell whoever waits; False: some are left for later."""
        uids = (one.uid for kind in (seen.pods, seen.claims) for one in kind)
        self._voice.keep((*uids, *(n.key for n in seen.nodes)), (p.workload for p in seen.pods))
        known = telling.Known(bought, self._past.because, self._voice.told)
        return self._voice.say(telling.sentences(seen.pods, decided, known))

    def _say_ends(self) -> bool:
        """Tell what became of claims; False: some is left for later."""
        self._unsaid += self._keeper.take_told()
        if told := self._voice.say(self._unsaid):
            self._unsaid.clear()
        return told

    def _explain_blindness(self) -> float | None:
        """Tell the pods that wait which list cannot be read, and why."""
        unread = [kept for kept in self._mirrors if not kept.synced and kept.problem]
        if self._pods.synced and unread:
            pods, why = self._pods.views(), f"{unread[0].path}: {unread[0].problem}"
            self._voice.say(telling.of_blindness(pods, why))
        return None

    def _deadlines(self, decided: plan.Plan, now: float) -> Iterator[float]:
        yield from self._keeper.deadlines(now)
        if decided.placed or decided.unplaced:
            yield from self._past.deadlines(now)
            yield from self._fresh.deadlines(now)
