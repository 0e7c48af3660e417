"""The story of a run, for people: what happened to which object, when, and what planners said."""

import logging
from collections.abc import Callable

from typing_extensions import override

from kubeapi import api
from tests import api_store
from tests.simulation import claims, cluster, scheduling, world


class Tale(logging.Handler):
    """Lines in order of virtual time."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self._now: Callable[[], float] = lambda: 0.0

    def follow(self, of: cluster.Cluster) -> None:
        """Tell of this cluster, from its beginning."""
        self._now = lambda: of.world.now
        of.world.memory.listeners.insert(0, self._heard)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._tell("planner", record.getMessage())

    def _tell(self, *words: str) -> None:
        self.lines.append(f"{self._now():10.3f} {' '.join(words)}")

    def _heard(self, change: api_store.Change) -> None:
        item = change.after or change.before
        if item is None or change.plural not in _SAYINGS:
            return
        verb = "new" if change.before is None else "now" if change.after else "gone"
        ending = "ending" if "deletionTimestamp" in item["metadata"] else ""
        key = api_store.key_of(item["metadata"])
        self._tell(
            verb, change.plural.removesuffix("s"), key, _SAYINGS[change.plural](item), ending
        )


def _pod(pod: api.Object) -> str:
    reason = world.condition(pod, "PodScheduled").get("reason", "")
    return f"{pod['status']['phase']} {pod['spec'].get('nodeName', '')} {reason}"


def _node(node: api.Object) -> str:
    gpus = node["status"]["allocatable"].get("nvidia.com/gpu", "0")
    closed = "cordoned" if node["spec"].get("unschedulable") else ""
    ready = "Ready" if scheduling.is_ready(node) else "not Ready"
    taints = ",".join(taint["key"] for taint in node["spec"].get("taints", ()))
    return f"{ready} {gpus} GPUs {closed} taints:{taints}"


def _claim(raw: api.Object) -> str:
    claim = claims.read(raw)
    done = [c["type"] for c in raw.get("status", {}).get("conditions", ()) if c["status"] == "True"]
    return f"for {claim.workload} {'/'.join(claim.offer)} {' '.join(done)} {claim.node}"


def _event(event: api.Object) -> str:
    return f"{event['reason']}: {event['message']}"


_SAYINGS: dict[str, Callable[[api.Object], str]] = {
    "pods": _pod,
    "nodes": _node,
    "nodeclaims": _claim,
    "events": _event,
}
