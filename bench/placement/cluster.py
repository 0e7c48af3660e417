"""A control plane with thousands of nodes that run nothing, our scheduler and its extender.

Nodes are posted Ready, with their GPUs, and never heard of again; nobody minds. Each says that it
belongs to a claim, as every bought node does.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import psutil

from deploy.local import api as apis
from deploy.local import binaries, claims, control_plane, manifests, scheduling
from presets import provision_spec
from presets import scheduling as names

Object = dict[str, Any]

GPU, TYPE = "nvidia.com/gpu", "Standard_NC6s_v3"
NAMESPACE = "default"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
PATIENCE_SECONDS = 180.0
_WRITERS = 4


@dataclass(frozen=True)
class Plane:
    """The control plane, and where our scheduler and extender listen."""

    api: apis.Api
    pair: scheduling.Pair

    def create(self, path: str, bodies: Sequence[Object]) -> None:
        """Create these objects, a few at a time."""
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(lambda body: self.api.create(path, body), bodies))

    def remove(self, paths: Sequence[str]) -> None:
        """Delete the objects at these paths at once."""
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(lambda path: self.api.delete(path, grace_seconds=0), paths))

    @contextlib.contextmanager
    def extender(self) -> Iterator[psutil.Process]:
        """The extender on one core; it has read the cluster when the block begins."""
        with _process(scheduling.extender(self.pair)) as process:
            process.cpu_affinity([max(os.sched_getaffinity(0))])
            wait(lambda: _is_ready(self.pair.extender_port), "the extender")
            yield process

    @contextlib.contextmanager
    def scheduler(self) -> Iterator[psutil.Process]:
        """Our kube-scheduler, as shipped."""
        scheduling.write(self.pair)
        with _process(scheduling.scheduler(self.pair)) as process:
            yield process


@contextlib.contextmanager
def plane() -> Iterator[Plane]:
    """A real etcd, API server and controllers on the loopback, without root."""
    programs = binaries.binaries(lambda _: None)
    with (
        control_plane.temporary(programs, lasting_nodes=True) as kubeconfig,
        apis.Api(kubeconfig) as api,
    ):
        manifests.install(api, "namespace", "scheduler")
        etc = kubeconfig.parent / "etc"
        ports = control_plane.free_ports(2)
        pair = scheduling.Pair(programs, etc / scheduling.KUBECONFIG, etc, *ports)
        accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
        wait(lambda: api.get(accounts)["items"], "the ServiceAccount")
        yield Plane(api, pair)


def node(number: int, gpus: int) -> Object:
    """A Ready node of claim `number`."""
    amounts = {"cpu": "64", "memory": "256Gi", "pods": "110", GPU: str(gpus)}
    labels = {"node.kubernetes.io/instance-type": TYPE, "kaito.sh/claim": claim_name(number)}
    ready = {"type": "Ready", "status": "True", "reason": "Bench", "message": ""}
    return {
        "metadata": {"name": node_name(number), "labels": labels},
        "status": {"capacity": amounts, "allocatable": amounts, "conditions": [ready]},
    }


def claim(number: int) -> Object:
    """The claim of a node, not initialized yet."""
    name = claim_name(number)
    wanted = {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [TYPE]}
    labels = {"kaito.sh/claim": name, "kaito.sh/workload-namespace": NAMESPACE}
    return {
        "apiVersion": claims.GROUP,
        "kind": "NodeClaim",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {"kaito.sh/workload-name": "Deployment/chat"},
        },
        "spec": {
            "nodeClassRef": {"group": "plainsail.dev", "kind": "Local", "name": "default"},
            "requirements": [wanted],
        },
    }


def initialized(number: int) -> Object:
    """What a provider writes into the claim's status."""
    done = {"type": "Initialized", "status": "True", "reason": "Initialized", "message": ""}
    done["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    return {"status": {"nodeName": node_name(number), "conditions": [done]}}


def pod(name: str, *, gpus: int = 1, marked: bool = True) -> Object:
    """A pod as the webhook makes them; unmarked, the extender is not asked."""
    asked = {GPU: str(gpus)} | ({names.MARKER: "1"} if marked else {})
    spec = provision_spec.ProvisionSpec((TYPE,), 1).to_json()
    return {
        "metadata": {
            "name": name,
            "labels": {"kaito.sh/managed": "true"},
            "annotations": {"kaito.sh/provision-spec": spec},
        },
        "spec": {
            "schedulerName": names.SCHEDULER,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "model", "image": "x", "resources": {"limits": asked}}],
        },
    }


def node_name(number: int) -> str:
    """Of a node; as long as those of clouds."""
    return f"aks-gpunodes-12345678-vmss{number:06}"


def claim_name(number: int) -> str:
    """Of its claim."""
    return f"ws{number:09x}"


def wait(holds: Callable[[], Any], what: str, poll_seconds: float = 0.02) -> None:
    """Until it holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come within {PATIENCE_SECONDS:g} s")
        time.sleep(poll_seconds)


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[psutil.Process]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def _is_ready(port: int) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).is_success
    return False
