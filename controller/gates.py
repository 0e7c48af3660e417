"""Lifts our scheduling gate where the planner, who is to do it, is dead: no pod waits for ever.

The planner renews its Lease every two seconds. Nobody compares clocks: it is dead when the Lease
has stayed as it is for so long by our own clock, or has not been there.
"""

from collections.abc import Collection

from controller import reasons, views
from kubeapi import api, events, leases
from telemetry import logs

PLANNER = ("plainsail-system", "node-provisioner")
"""Lease of the planner: namespace and name."""
DEAD_SECONDS = 600.0
"""Long enough for an upgrade or a node to come back; a gang waits longer for machines anyway."""
_LOOK_SECONDS = 30.0


class Watchdog:
    """Watches the planner's Lease while pods wait behind the gate."""

    def __init__(self, cluster: api.Api, recorder: events.Recorder) -> None:
        self._api = cluster
        self._recorder = recorder
        self._lease = leases.Observed()

    def work(self, gated: Collection[views.GatedPod], now: float) -> float | None:
        """Lift the gate where it is time; seconds until the next look, None: nobody waits.

        Raises:
            api.ApiError: the API server did not do it.
        """
        if not gated:
            self._lease = leases.Observed()
            return None
        self._look(now)
        if self._lease.quiet_seconds(now) < DEAD_SECONDS:
            return _LOOK_SECONDS
        for pod in gated:
            self._lift(pod)
        return _LOOK_SECONDS

    def _look(self, now: float) -> None:
        try:
            self._lease.see(self._api.get(leases.path(*PLANNER)), now)
        except api.NotFound:
            self._lease.miss(now)

    def _lift(self, pod: views.GatedPod) -> None:
        namespace, _, name = pod.key.partition("/")
        body = {"metadata": {"uid": pod.uid}, "spec": {"schedulingGates": None}}
        try:
            self._api.patch(f"/api/v1/namespaces/{namespace}/pods/{name}", body)
        except (api.NotFound, api.Conflict):
            return  # gone, or another one of its name: the watch will show it
        logs.warning("gate_lifted", pod=f"Pod/{pod.key}")
        about = events.Subject("v1", "Pod", namespace, name, pod.uid)
        self._recorder.tell(about, reasons.gate_lifted(DEAD_SECONDS))
