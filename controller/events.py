"""Events on workloads, each said once."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime

from controller import reasons, views
from kubeapi import api
from telemetry import logs

_REPORTER = "plainsail-controller"
_MESSAGE_CHARACTERS = 1024
"""Longest message that the API server takes."""


class Recorder:
    """Writes Events; remembers what each workload was told."""

    def __init__(self, cluster: api.Api, now: Callable[[], datetime]) -> None:
        self._api = cluster
        self._now = now
        self._told: set[tuple[str, reasons.Reason]] = set()

    def keep(self, workloads: Iterable[views.WorkloadView]) -> None:
        """Forget what was told to workloads that are not among these."""
        uids = {workload.uid for workload in workloads}
        self._told = {(uid, reason) for uid, reason in self._told if uid in uids}

    def warn(self, workload: views.WorkloadView, reason: reasons.Reason) -> None:
        """Write the Event unless the workload was told the same before, by any process.

        An Event is never worth a failure of the loop: what the API server refuses is logged.

        Raises:
            api.Unavailable: the API server is away; the workload is not yet told.
        """
        if (workload.uid, reason) in self._told:
            return
        logs.warning("left_alone", workload=workload.key, reason=reason.code)
        try:
            path = f"/api/v1/namespaces/{workload.namespace}/events"
            self._api.create(path, self._event(workload, reason))
        except api.Conflict:
            pass
        except api.Unavailable:
            raise
        except api.ApiError as error:
            logs.warning("event_refused", workload=workload.key, error=error)
        self._told.add((workload.uid, reason))

    def _event(self, workload: views.WorkloadView, reason: reasons.Reason) -> api.Object:
        now = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
        said = hashlib.sha256(f"{workload.uid}\0{reason.code}\0{reason.sentence}".encode())
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{workload.name[:200]}.{said.hexdigest()[:16]}",
                "namespace": workload.namespace,
            },
            "involvedObject": {
                "apiVersion": "apps/v1",
                "kind": workload.kind,
                "namespace": workload.namespace,
                "name": workload.name,
                "uid": workload.uid,
            },
            "type": "Warning",
            "reason": reason.code,
            "message": reason.sentence[:_MESSAGE_CHARACTERS],
            "source": {"component": _REPORTER},
            "reportingComponent": _REPORTER,
            "reportingInstance": _REPORTER,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
