"""Nodes without machines, for control planes without root: they are Ready and run every pod.

What a kubelet tells the API server, and nothing else: for tests of who is placed where.
"""

import contextlib
import datetime as dt
import threading
from collections.abc import Mapping
from typing import Self

import httpx

from deploy.local import api as apis
from deploy.local.api import Api, Object

RENEW_SECONDS = 10.0
POLL_SECONDS = 0.1
_READY = {"type": "Ready", "status": "True", "reason": "Fake", "message": ""}


class FakeNodes:
    """Fake nodes of one control plane; a context manager that ends their heart beat."""

    def __init__(self, api: Api, adopt: str = "") -> None:
        """`adopt`: label selector of nodes that another program makes, to be run as well."""
        self._api = api
        self._adopt = adopt
        self._names: set[str] = set()
        self._adopted: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        for name in self._names:
            self._api.delete(f"/api/v1/nodes/{name}")

    def add(
        self,
        name: str,
        resources: Mapping[str, str],
        labels: Mapping[str, str] | None = None,
        taints: tuple[Mapping[str, str], ...] = (),
    ) -> None:
        """A Ready node with `resources`, cpu, memory and pods besides."""
        node: Object = {
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": {"taints": [dict(taint) for taint in taints]},
        }
        self._api.create("/api/v1/nodes", node)
        self.set_resources(name, resources)
        self._names.add(name)

    def set_resources(self, name: str, resources: Mapping[str, str]) -> None:
        """What the node reports from now on."""
        amounts = {"cpu": "8", "memory": "32Gi", "pods": "110", **resources}
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [_READY]}
        self._api.patch(f"/api/v1/nodes/{name}/status", {"status": status})

    def _run(self) -> None:
        renewed = 0.0
        while not self._stop.wait(POLL_SECONDS):
            # The control plane may go before its fake nodes do.
            with contextlib.suppress(httpx.HTTPError, apis.Conflict, apis.NotFound):
                if self._adopt:
                    self._adopt_nodes()
                self._run_pods()
                renewed -= POLL_SECONDS
                if renewed <= 0:
                    self._renew()
                    renewed = RENEW_SECONDS

    def _adopt_nodes(self) -> None:
        """Make new ones Ready; what they have, their maker wrote."""
        found = self._api.get(f"/api/v1/nodes?labelSelector={self._adopt}")["items"]
        names = {node["metadata"]["name"] for node in found}
        for name in names - self._adopted:
            self._api.patch(f"/api/v1/nodes/{name}/status", {"status": {"conditions": [_READY]}})
        self._adopted = names

    def _renew(self) -> None:
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for name in self._names | self._adopted:
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": name, "namespace": "kube-node-lease"},
                "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now},
            }
            self._api.apply(apis.path_of(lease), lease)

    def _run_pods(self) -> None:
        for pod in self._api.get("/api/v1/pods")["items"]:
            if pod["spec"].get("nodeName") not in self._names | self._adopted:
                continue
            meta = pod["metadata"]
            path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
            if meta.get("deletionTimestamp"):
                self._api.delete(path, grace_seconds=0)
            elif pod["status"].get("phase") == "Pending":
                self._api.patch(f"{path}/status", {"status": _running(pod)})


def _running(pod: Object) -> Object:
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    containers = [
        {
            "name": container["name"],
            "image": container.get("image", ""),
            "imageID": "",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": now}},
        }
        for container in pod["spec"]["containers"]
    ]
    kinds = ("Initialized", "ContainersReady", "Ready", "PodScheduled")
    return {
        "phase": "Running",
        "startTime": now,
        "conditions": [{"type": kind, "status": "True"} for kind in kinds],
        "containerStatuses": containers,
    }
