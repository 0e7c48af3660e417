"""The loop: gather what the mirrors show, decide purely, act once, say why."""

from controller import gates, reasons, services, settings, views
from kubeapi import api, events, host, mirror, passes
from presets import annotations
from telemetry import logs

MANAGER = "plainsail-controller"
"""Field manager of everything that the controller applies."""


class Controller:
    """Keeps the Services of labelled workloads."""

    def __init__(
        self,
        cluster: api.Api,
        chosen: settings.Settings,
        on: host.Host = host.REAL,
    ) -> None:
        self._api = cluster
        self._passes = passes.Passes(
            on,
            idle_seconds=chosen.batch_idle_seconds,
            longest_seconds=chosen.batch_longest_seconds,
        )

        def wake(_: object) -> None:
            self._passes.wake()

        apps, source = "/apis/apps/v1", mirror.Source
        deployments = source(f"{apps}/deployments", views.deployment)
        stateful_sets = source(f"{apps}/statefulsets", views.stateful_set)
        self._deployments = mirror.Mirror(cluster, deployments, wake, on)
        self._stateful_sets = mirror.Mirror(cluster, stateful_sets, wake, on)
        ours = source("/api/v1/services", views.service)
        self._services = mirror.Mirror(cluster, ours, wake, on)
        gated = source("/api/v1/pods", views.gated_pod, labels=annotations.MANAGED)
        self._gated = mirror.Mirror(cluster, gated, wake, on)
        self._mirrors = (self._deployments, self._stateful_sets, self._services, self._gated)
        self._clock = on.monotonic
        self._events = events.Recorder(cluster, MANAGER, on.now)
        self._watchdog = gates.Watchdog(cluster, self._events, chosen.planner_lease)
        self._rejected: dict[views.WorkloadView, events.Reason] = {}
        self._denied: list[api.Forbidden] = []

    def run(self, stop: host.Flag) -> None:
        """Keep the Services until `stop` is set, whatever happens on the way."""
        self._passes.run(self.run_pass, self._mirrors, stop)

    def wake(self) -> None:
        """Let the loop look now, for example at its stop."""
        self._passes.wake()

    def run_pass(self) -> float | None:
        """Decide and act on what is known; seconds until it must look again without a change."""
        if not all(kept.synced for kept in self._mirrors):
            return None
        workloads = (*self._deployments.views(), *self._stateful_sets.views())
        decided = services.plan(workloads, self._services.views())
        self._rejected = {w: reason for w, reason in self._rejected.items() if w in workloads}
        self._denied.clear()
        for service in decided.delete:
            self._delete(service)
        for workload in decided.create:
            self._make(workload)
        for workload in decided.mend:
            self._apply(workload, "service_mended", force=True)
        self._events.keep({workload.uid for workload in workloads})
        for left in decided.left_alone:
            self._warn(left.workload, left.reason)
        for workload, reason in self._rejected.items():
            self._warn(workload, reason)
        again = self._watchdog.work(self._gated.views(), self._clock())
        if self._denied:
            raise self._denied.pop()  # to come back to it, after everything else was done
        return again

    def _make(self, workload: views.WorkloadView) -> None:
        """Make the Service unless one came that the mirror has not shown yet."""
        if workload in self._rejected:
            return
        try:
            self._api.get(f"/api/v1/namespaces/{workload.namespace}/services/{workload.name}")
        except api.NotFound:
            self._apply(workload, "service_created", force=False)

    def _apply(self, workload: views.WorkloadView, event: str, *, force: bool) -> None:
        if workload in self._rejected:
            return
        path = f"/api/v1/namespaces/{workload.namespace}/services/{workload.name}"
        try:
            self._api.apply(path, services.manifest(workload), manager=MANAGER, force=force)
        except api.Rejected as error:
            self._rejected[workload] = reasons.rejected(workload.name, error.message)
        except api.Forbidden as error:  # a quota, mostly: of this namespace, and not for ever
            self._warn(workload, reasons.rejected(workload.name, error.message))
            self._denied.append(error)
        except (api.Conflict, api.NotFound) as error:
            # Someone else's Service, or a namespace that is gone: the watch will show which.
            logs.info("service_not_applied", workload=workload.key, error=error)
        else:
            logs.info(event, workload=workload.key)

    def _delete(self, service: views.ServiceView) -> None:
        namespace, _, name = service.key.partition("/")
        path = f"/api/v1/namespaces/{namespace}/services/{name}"
        try:
            self._api.delete(path, {"uid": service.uid, "resourceVersion": service.version})
        except (api.NotFound, api.Conflict):
            return
        logs.info("service_deleted", service=service.key)

    def _warn(self, workload: views.WorkloadView, reason: events.Reason) -> None:
        about = events.Subject(
            "apps/v1", workload.kind, workload.namespace, workload.name, workload.uid
        )
        self._events.tell(about, reason)
