"""Events on waiting pods: what was done for them and why, each said once."""

from collections.abc import Callable, Iterable
from datetime import datetime

from kubeapi import api
from node_provisioner import names, reasons, views
from telemetry import logs

_REPORTER = "plainsail-node-provisioner"
_MESSAGE_CHARACTERS = 1024
"""Longest message that the API server takes."""


class Recorder:
    """Writes Events; remembers what each pod was told."""

    def __init__(self, cluster: api.Api, now: Callable[[], datetime]) -> None:
        self._api = cluster
        self._now = now
        self._told: dict[str, dict[str, str]] = {}

    def keep(self, pods: Iterable[views.PodView]) -> None:
        """Forget what was told to pods that are not among these."""
        uids = {pod.uid for pod in pods}
        self._told = {uid: told for uid, told in self._told.items() if uid in uids}

    def topic(self, pod: views.PodView, code: str) -> str:
        """What the pod was last told about under this reason code; empty: nothing."""
        return self._told.get(pod.uid, {}).get(code, "")

    def tell(self, pod: views.PodView, reason: reasons.Reason, topic: str) -> None:
        """Write the Event unless the pod was told of this `topic` before, by any process.

        An Event is never worth a failure of the loop: what the API server refuses is logged.

        Raises:
            api.Unavailable: the API server is away; the pod is not yet told.
        """
        if self.topic(pod, reason.code) == topic:
            return
        try:
            self._api.create(
                f"/api/v1/namespaces/{pod.namespace}/events", self._event(pod, reason, topic)
            )
        except api.Conflict:
            pass
        except api.Unavailable:
            raise
        except api.ApiError as error:
            logs.warning("event_refused", pod=pod.key, reason=reason.code, error=error)
        self._told.setdefault(pod.uid, {})[reason.code] = topic

    def _event(self, pod: views.PodView, reason: reasons.Reason, topic: str) -> api.Object:
        now = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": names.event(pod.name, pod.uid, reason.code, topic),
                "namespace": pod.namespace,
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": pod.namespace,
                "name": pod.name,
                "uid": pod.uid,
            },
            "type": "Warning" if reason.warning else "Normal",
            "reason": reason.code,
            "message": reason.sentence[:_MESSAGE_CHARACTERS],
            "source": {"component": _REPORTER},
            "reportingComponent": _REPORTER,
            "reportingInstance": _REPORTER,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
