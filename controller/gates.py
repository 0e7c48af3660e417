"""Lifts our scheduling gate where the planner, who is to do it, is dead: no pod waits for ever.

The planner renews its Lease every two seconds. Nobody compares clocks: it is dead when the Lease
has stayed as it is for so long by our own clock, or has not been there.
"""

from collections.abc import Collection

from controller import reasons, views
from kubeapi import api, events, gates, leases
from telemetry import logs

DEAD_SECONDS = 600.0
"""Long enough for an upgrade or a node to come back; a gang waits longer for machines anyway."""
_LOOK_SECONDS = 30.0


class Watchdog:
    """Watches the planner's Lease while pods wait behind the gate."""

    def __init__(
        self, cluster: api.Api, recorder: events.Recorder, lease: leases.Name | None
    ) -> None:
        """`lease`: the planner's; None: it has none, and nothing tells whether it is dead."""
        self._api = cluster
        self._recorder = recorder
        self._name = lease
        self._lease = leases.Observed()

    def work(self, gated: Collection[views.GatedPod], now: float) -> float | None:
        """Lift the gate where it is time; seconds until the next look, None: nobody waits.

        Raises:
            api.ApiError: the API server did not do it.
        """
        if self._name is None or not gated:
            self._lease = leases.Observed()
            return None
        self._look(self._name, now)
        if self._lease.quiet_seconds(now) < DEAD_SECONDS:
            return _LOOK_SECONDS
        for pod in gated:
            self._lift(pod)
        return _LOOK_SECONDS

    def _look(self, name: leases.Name, now: float) -> None:
        try:
            self._lease.see(self._api.get(leases.path(*name)), now)
        except api.NotFound:
            self._lease.miss(now)

    def _lift(self, pod: views.GatedPod) -> None:
        namespace, _, name = pod.key.partition("/")
        if not gates.lift(self._api, namespace, name, pod.uid):
            return
        logs.warning("gate_lifted", pod=f"Pod/{pod.key}")
        about = events.Subject("v1", "Pod", namespace, name, pod.uid)
        self._recorder.tell(about, reasons.gate_lifted(DEAD_SECONDS))
