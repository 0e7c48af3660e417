"""The edge to the cluster: a new snapshot after every change, and what wakes kube-scheduler."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from kubeapi import api, host, mirror, passes
from presets import annotations
from scheduler_ext import marks, metrics, snapshot, views
from telemetry import logs

KEPT_SECONDS = 30.0
"""How long a node that has just become ready is kept for the workload that it was bought for.

kube-scheduler takes under a second to use a node that fits; this allows for a busy one. Then
whoever fits may have it: its own pods have a reason not to use it that only the scheduler knows.
"""
_IDLE_SECONDS, _LONGEST_SECONDS = 0.02, 0.1
"""A burst of changes is over when none came for so long, and is looked at after so long."""
_TOUCHES = 20
"""Pods touched in one pass, so that the snapshot does not grow old meanwhile."""
_AGAIN_SECONDS = 1.0
_LATE_SECONDS = 1.0
"""After a node opened we look again: a pod that was refused it may not have been shown to us yet,
as every list is watched for itself."""


class Watcher:
    """Keeps `snapshot` true; marks nodes of ours, and touches pods whose answer changed."""

    def __init__(
        self,
        cluster: api.Api,
        counted: metrics.Metrics,
        on: host.Host = host.REAL,
    ) -> None:
        self.snapshot = snapshot.Snapshot(unread=("pods", "nodes", "nodeclaims"))
        """The latest: replaced, never changed."""
        self._api = cluster
        self._metrics = counted
        self._host = on
        self._passes = passes.Passes(
            on, idle_seconds=_IDLE_SECONDS, longest_seconds=_LONGEST_SECONDS
        )

        def wake(_: object) -> None:
            self._passes.wake()

        unfinished = "status.phase!=Succeeded,status.phase!=Failed"
        pods = mirror.Source("/api/v1/pods", views.pod, fields=unfinished)
        nodes = mirror.Source("/api/v1/nodes", views.node)
        claims = mirror.Source(
            "/apis/karpenter.sh/v1/nodeclaims", views.claim, labels=annotations.CLAIM
        )
        self._pods = mirror.Mirror(cluster, pods, wake, on)
        self._nodes = mirror.Mirror(cluster, nodes, wake, on)
        self._claims = mirror.Mirror(cluster, claims, wake, on)
        self._fresh: dict[str, float] = {}
        self._known: frozenset[str] | None = None
        self._pending: deque[snapshot.Opening] = deque()
        self._opened: deque[tuple[float, snapshot.Snapshot, frozenset[str]]] = deque()
        """When to look again, what was before, and the pods that were looked at."""
        self._marks = marks.Marks(cluster, counted, on)

    def run(self, stop: host.Flag) -> None:
        """Keep the snapshot until `stop` is set, whatever happens on the way."""
        mirrors = (self._pods, self._nodes, self._claims)
        self._passes.run(self.run_pass, mirrors, stop)

    def wake(self) -> None:
        """Let the loop look now, for example at its stop."""
        self._passes.wake()

    @property
    def watched(self) -> int:
        """How many of the three lists are watched now."""
        return sum(kept.live for kept in (self._pods, self._nodes, self._claims))

    @property
    def unreadable(self) -> int:
        """How many objects of the three lists are older here than there: nobody can read them."""
        return sum(kept.unreadable for kept in (self._pods, self._nodes, self._claims))

    def run_pass(self) -> float | None:
        """Look, mark and touch; seconds until it must look again without a change."""
        now = self._host.monotonic()
        before, after = self.snapshot, self._look(now)
        self.snapshot = after
        self._count_misplaced(before, after)
        self._pending.extend(snapshot.openings(before, after))
        if snapshot.opened(before, after):
            known = frozenset(pod.uid for pod in after.waiting)
            self._opened.append((now + _LATE_SECONDS, before, known))
        waits = [self._look_again(now), self._marks.write(snapshot.unmarked(after)), self._touch()]
        waits += [max(end - now, 0.0) for end in self._fresh.values()]
        return min((seconds for seconds in waits if seconds is not None), default=None)

    def _look_again(self, now: float) -> float | None:
        """Find pods that came to be seen after a node opened; seconds until the next look."""
        found: set[str] = set()
        while self._opened and self._opened[0][0] <= now:
            _, before, known = self._opened.popleft()
            late = list(snapshot.openings(before, self.snapshot, known | found))
            self._pending.extend(late)
            found.update(opening.pod.uid for opening in late)
        return self._opened[0][0] - now if self._opened else None

    def _look(self, now: float) -> snapshot.Snapshot:
        lists: dict[str, mirror.Mirror[Any]] = {
            "pods": self._pods,
            "nodes": self._nodes,
            "nodeclaims": self._claims,
        }
        unread = tuple(name for name, kept in lists.items() if not _is_read(kept))
        if unread:
            return snapshot.Snapshot(unread=unread)
        claims = self._claims.views() if not self._claims.missing else ()
        self._renew(claims, now)
        return snapshot.take(self._pods.views(), self._nodes.views(), claims, fresh=self._fresh)

    def _renew(self, claims: Iterable[views.ClaimView], now: float) -> None:
        """Which claims' nodes have become ready a moment ago; none that were before our start."""
        ready = frozenset(claim.uid for claim in claims if claim.initialized)
        new = ready - self._known if self._known is not None else frozenset()
        self._fresh = {
            **{uid: end for uid, end in self._fresh.items() if uid in ready and now < end},
            **dict.fromkeys(new, now + KEPT_SECONDS),
        }
        self._known = ready

    def _count_misplaced(self, before: snapshot.Snapshot, after: snapshot.Snapshot) -> None:
        """Pods that were bound in spite of us: the scheduler went on without an answer."""
        for pod in before.waiting:
            bound = after.holders.get(pod.uid)
            candidate = after.doubtful.get(bound.node) if bound and pod.marked else None
            if candidate is not None and candidate.obstacle is not None:
                self._metrics.misplaced += 1
                why = candidate.obstacle.code
                logs.warning("misplaced", pod=pod.key, node=candidate.node.name, reason=why)

    def _touch(self) -> float | None:
        """Touch the next pods; after how many seconds to come back for the rest, None: none is."""
        waiting = {pod.uid for pod in self.snapshot.waiting}
        for _ in range(min(_TOUCHES, len(self._pending))):
            opening = self._pending[0]
            if opening.pod.uid in waiting:
                try:
                    self._touch_one(opening)
                except api.Unavailable as error:
                    logs.warning("touch_failed", pod=opening.pod.key, error=error)
                    return _AGAIN_SECONDS
            self._pending.popleft()
        return 0.0 if self._pending else None

    def _touch_one(self, opening: snapshot.Opening) -> None:
        namespace, _, name = opening.pod.key.partition("/")
        when = self._host.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        noted = {annotations.PLACEMENT_CHANGED: f"{when} {opening.node}"}
        body = {"metadata": {"uid": opening.pod.uid, "annotations": noted}}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        try:
            self._api.patch(path, body)
        except (api.NotFound, api.Conflict):
            return  # gone, or replaced by another of its name
        except api.Unavailable:
            raise
        except api.ApiError as error:
            logs.failure("touch_refused", pod=opening.pod.key, error=error)
            return
        self._metrics.touched += 1
        logs.info("pod_touched", pod=opening.pod.key, node=opening.node)


def _is_read(kept: mirror.Mirror[Any]) -> bool:
    """A list that the API server does not know of is an empty one: nobody buys nodes here."""
    return kept.synced or kept.missing
