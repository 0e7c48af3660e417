"""Our own kube-scheduler on the real control plane, with fake nodes, pods and claims."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local import api as apis
from deploy.local import binaries, claims, control_plane, scheduling
from deploy.local.api import Object
from deploy.local.fake_nodes import FakeNodes
from presets import provision_spec
from presets import scheduling as names
from tests import programs
from tests.apiserver import until
from tests.scheduler_ext.proxy import Proxy

_CONTAINER = {"name": "c", "image": "x"}
SECONDS = 30.0
"""Patience on a busy machine; what is waited for takes well under a second on an idle one."""
GPU = "nvidia.com/gpu"


@dataclass
class Placing:
    """One test's namespace, machine type and scheduler."""

    api: apis.Api
    directory: Path
    """Of the control plane."""
    nodes: FakeNodes
    namespace: str
    scheduler: str = ""
    """What pods name; every scheduler of a test has its own name."""
    type: str = ""
    """Instance type of this test's nodes and pods; by default one that no other test has."""
    proxy: Proxy = field(init=False)

    def __post_init__(self) -> None:
        self.scheduler = self.scheduler or f"scheduler-{self.namespace}"
        self.type = self.type or self.namespace
        self.ports = control_plane.free_ports(2)
        self.proxy = Proxy(self.ports[1])

    def pair(self) -> scheduling.Pair:
        """Scheduler and extender, with the proxy between them."""
        directory = self.directory / self.scheduler
        directory.mkdir(exist_ok=True)
        kubeconfig = self.directory / "etc" / scheduling.KUBECONFIG
        programs_ = binaries.binaries(lambda _: None)
        return scheduling.Pair(programs_, kubeconfig, directory, self.ports[0], self.proxy.port)

    @contextlib.contextmanager
    def extender(self) -> Iterator[subprocess.Popen[bytes]]:
        """The extender, behind the proxy; it answers when the block begins."""
        kubeconfig = self.directory / "etc" / scheduling.KUBECONFIG
        with programs.running("scheduler_ext", kubeconfig, f"--port={self.ports[1]}") as process:
            until(lambda: is_ready(self.ports[1]), SECONDS)
            yield process

    @contextlib.contextmanager
    def scheduling(self, **changes: Any) -> Iterator[None]:
        """Our scheduler by the shipped configuration and `changes`.

        Without the flag that has it try every pod again now and then: an event must wake it.
        """
        pair = self.pair()
        changes.setdefault("profiles", [{"schedulerName": self.scheduler}])
        scheduling.write(pair, changes)
        log = (pair.directory / "scheduler.log").open("ab")
        command = [
            part for part in scheduling.scheduler(pair) if not part.startswith(scheduling.RETRY)
        ]
        with log, subprocess.Popen(command, stderr=log) as process:
            try:
                yield
            finally:
                process.kill()

    def node(self, name: str = "n1", gpus: int = 1, claim: str = "", **resources: str) -> str:
        """A Ready node of this test's type; its name in the cluster."""
        full = f"{self.namespace}-{name}"
        labels = {"node.kubernetes.io/instance-type": self.type}
        labels |= {"kaito.sh/claim": claim} if claim else {}
        self.nodes.add(full, ({GPU: str(gpus)} if gpus else {}) | resources, labels)
        return full

    def claim(self, name: str, workload: str = "Pod/none") -> None:
        """A claim as the planner writes it, for a workload of this namespace."""
        wanted = {"key": "node.kubernetes.io/instance-type", "operator": "In"}
        body = {
            "apiVersion": claims.GROUP,
            "kind": "NodeClaim",
            "metadata": {
                "name": name,
                "labels": {"kaito.sh/claim": name, "kaito.sh/workload-namespace": self.namespace},
                "annotations": {"kaito.sh/workload-name": workload},
            },
            "spec": {
                "nodeClassRef": {"group": "plainsail.dev", "kind": "Local", "name": "default"},
                "requirements": [wanted | {"values": [self.type]}],
            },
        }
        self.api.create(claims.COLLECTION, body)

    def initialize(self, name: str, node: str) -> None:
        """What a provider writes when the claim's node can be used."""
        done = {"type": "Initialized", "status": "True", "reason": "Initialized", "message": ""}
        done["lastTransitionTime"] = "2026-01-01T00:00:00Z"
        status = {"status": {"nodeName": node, "conditions": [done]}}
        self.api.patch(f"{claims.COLLECTION}/{name}/status", status)

    def pod(self, name: str, gpus: int = 1, **changes: Any) -> str:
        """A pod as the webhook makes them; its path."""
        asked = {GPU: str(gpus), names.MARKER: "1"}
        spec = {
            "schedulerName": self.scheduler,
            "terminationGracePeriodSeconds": 0,
            "nodeSelector": {"node.kubernetes.io/instance-type": self.type},
            "containers": [{"name": "c", "image": "x", "resources": {"limits": asked}}],
        }
        noted = {"kaito.sh/provision-spec": provision_spec.ProvisionSpec((self.type,), 1).to_json()}
        meta = {"name": name, "labels": {"kaito.sh/managed": "true"}, "annotations": noted}
        self.api.create(self._pods, {"metadata": meta, "spec": spec | changes})
        return f"{self._pods}/{name}"

    def is_taken(self, **spec: Any) -> bool:
        """Whether the API server would take a pod with this: it learns of some things late."""
        body = {"metadata": {"name": "try"}, "spec": {"containers": [_CONTAINER]} | spec}
        try:
            self.api.create(f"{self._pods}?dryRun=All", body)
        except apis.Refused:
            return False
        return True

    def unmarked(self, name: str, **changes: Any) -> str:
        """A pod that the extender is not asked about; its path."""
        spec = {
            "schedulerName": self.scheduler,
            "terminationGracePeriodSeconds": 0,
            "nodeSelector": {"node.kubernetes.io/instance-type": self.type},
            "containers": [_CONTAINER],
        }
        self.api.create(self._pods, {"metadata": {"name": name}, "spec": spec | changes})
        return f"{self._pods}/{name}"

    def bound(self, path: str, seconds: float = SECONDS) -> str:
        """The node that the pod is bound to, once it is."""
        return str(until(lambda: self.api.get(path)["spec"].get("nodeName"), seconds))

    def waits(self, path: str, why: str) -> Object:
        """The pod's condition, once it says `why`."""
        return dict(until(lambda: self._waits(path, why), SECONDS))

    def listed(self) -> list[Object]:
        """Every pod of the namespace."""
        return list(self.api.get(self._pods)["items"])

    def silence(self, path: str, seconds: float = 1.0) -> int:
        """Calls of a path, once none came for so long."""
        before = -1
        while before != (before := self.proxy.count(path)):
            time.sleep(seconds)
        return before

    def _waits(self, path: str, why: str) -> Object | None:
        for found in self.api.get(path)["status"].get("conditions", []):
            if found["type"] == "PodScheduled" and why in f"{found['reason']}: {found['message']}":
                return dict(found)
        return None

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"


def is_ready(port: int) -> bool:
    """Whether the extender has read the cluster."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2, trust_env=False).is_success
    return False


@contextlib.contextmanager
def placing(api: apis.Api, kubeconfig: Path) -> Iterator[Placing]:
    """A fresh namespace, without scheduler or extender yet."""
    programs.install(api, "scheduler")
    with FakeNodes(api) as nodes:
        made = Placing(api, kubeconfig.parent, nodes, programs.namespace(api))
        try:
            yield made
        finally:
            made.proxy.stop()
            for pod in made.listed():
                api.delete(f"{made._pods}/{pod['metadata']['name']}", grace_seconds=0)
            chosen = f"labelSelector=kaito.sh/workload-namespace={made.namespace}"
            for claim in api.get(f"{claims.COLLECTION}?{chosen}")["items"]:
                api.delete(f"{claims.COLLECTION}/{claim['metadata']['name']}")
