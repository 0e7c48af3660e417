"""Writes the marker into nodes of ours, so that kube-scheduler sees their GPUs come."""

from collections.abc import Iterable

from kubeapi import api, host
from presets import scheduling
from scheduler_ext import metrics
from telemetry import logs

AMOUNT = "1k"
"""More than a node has containers: nobody is to be refused for want of it."""
_AGAIN_SECONDS = 5.0
"""A node that is still without the marker is tried again after this."""
_PAUSE_SECONDS = 1.0
"""After a failure, before another node is tried."""
_AT_ONCE = 20
"""Nodes written in one pass, so that the snapshot does not grow old meanwhile."""


class Marks:
    """Remembers what was tried a moment ago, and what was told of."""

    def __init__(self, cluster: api.Api, counted: metrics.Metrics, on: host.Host) -> None:
        self._api = cluster
        self._metrics = counted
        self._host = on
        self._again: dict[str, float] = {}
        """By node, not before when it is written again."""
        self._not_before = 0.0
        """No node is tried before this: one could not be written a moment ago."""
        self._told: frozenset[str] = frozenset()
        """Nodes whose failure was logged."""

    def write(self, unmarked: Iterable[str]) -> float | None:
        """Mark the next of these, which are all there are; seconds until there is more to do.

        None: nothing. A failure ends the pass and the next one, after a pause, goes on with others,
        so that a node that can never be marked holds nobody up, and an API server that is away is
        asked once a second, whatever changes meanwhile.
        """
        names, now = tuple(unmarked), self._host.monotonic()
        self._told = self._told.intersection(names)
        self._again = {name: self._again[name] for name in names if name in self._again}
        if now < self._not_before:
            return self._not_before - now
        due = [name for name in names if self._again.get(name, now) <= now]
        for name in due[:_AT_ONCE]:
            self._again[name] = now + _AGAIN_SECONDS
            if not self._write_one(name):
                self._not_before = now + _PAUSE_SECONDS
                return _PAUSE_SECONDS
        if due[_AT_ONCE:]:
            return 0.0
        return min((again - now for again in self._again.values()), default=None)

    def _write_one(self, name: str) -> bool:
        amounts = {scheduling.MARKER: AMOUNT}
        body = {"status": {"capacity": amounts, "allocatable": amounts}}
        try:
            self._api.patch(f"/api/v1/nodes/{name}/status", body)
        except api.NotFound:
            return True  # it has gone
        except api.ApiError as error:
            if name not in self._told:
                logs.warning("mark_failed", node=name, error=error, retry_seconds=_AGAIN_SECONDS)
            self._told |= {name}
            return False
        self._told -= {name}
        self._metrics.marked += 1
        logs.info("node_marked", node=name)
        return True
