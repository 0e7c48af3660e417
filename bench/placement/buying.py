"""The planner as a process on a real control plane: from Unschedulable to the NodeClaim."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.placement import cluster
from bench.report import Figure, p99
from deploy.local import api as apis
from deploy.local import claims
from presets import provision_spec

BURST, SINGLES = 1000, 100
NAMESPACE = "buying"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_TYPE = "Standard_NC6s_v3"
_PATIENCE_SECONDS = 180.0
_POLL_SECONDS = 0.1
"""Between two looks at lists of a thousand objects."""


def run(kubeconfig: Path) -> list[Figure]:
    """Single pods, then a thousand at once.

    The planner is paused while the burst is created and found unschedulable, so that it meets the
    planner at one moment.
    """
    with apis.Api(kubeconfig) as api, _planner(kubeconfig) as planner:
        api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
        cluster.wait(lambda: api.get(accounts)["items"], "the ServiceAccount")
        singles = sorted(_singles(api))
        burst = _burst(api, planner)
    return [
        Figure(
            "one pod, Unschedulable to its claim: 99th percentile",
            "s",
            (p99(singles),),
            "<= 1",
        ),
        Figure("one pod, Unschedulable to its claim", "s", tuple(singles)),
        Figure(f"{BURST:,} pods unschedulable to all claims created", "s", (burst,), "<= 5"),
    ]


@contextlib.contextmanager
def _planner(kubeconfig: Path) -> Iterator[subprocess.Popen[bytes]]:
    flags = ["--lease=none", "--max-claims=5000", f"--kubeconfig={kubeconfig}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "node_provisioner", *flags], stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _burst(api: apis.Api, planner: subprocess.Popen[bytes]) -> float:
    before = _claims(api)
    os.kill(planner.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: _one(api, f"burst-{n}"), range(BURST)))
    wanted = before + BURST
    cluster.wait(lambda: _refused(api) >= wanted, "the refusal of every pod", _POLL_SECONDS)
    begun = time.monotonic()
    os.kill(planner.pid, signal.SIGCONT)
    cluster.wait(lambda: _claims(api) >= wanted, "every claim", _POLL_SECONDS)
    return time.monotonic() - begun


def _singles(api: apis.Api) -> Iterator[float]:
    """Seconds between the two events, as one who watches both sees them."""
    _one(api, "first")
    cluster.wait(lambda: _claims(api) == 1, "the first claim")  # the planner has read its lists
    for n in range(SINGLES):
        refused, bought = _Seen(), _Seen()
        name = f"single-{n}"
        _follow(api, PODS, partial(_is_refused, name), refused)
        _follow(api, claims.COLLECTION, partial(_is_for, name), bought)
        _one(api, name)
        assert refused.event.wait(_PATIENCE_SECONDS)
        assert bought.event.wait(_PATIENCE_SECONDS)
        yield max(bought.at - refused.at, 0.0)


class _Seen:
    """When something was seen."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.at = 0.0


def _follow(api: apis.Api, path: str, wanted: Callable[[apis.Object], bool], seen: _Seen) -> None:
    version = api.get(f"{path}?limit=1")["metadata"]["resourceVersion"]

    def watch() -> None:
        for event in api.watch(path, version, int(_PATIENCE_SECONDS)):
            if wanted(event["object"]):
                seen.at = time.monotonic()
                seen.event.set()
                return

    threading.Thread(target=watch, daemon=True).start()


def _is_refused(name: str, pod: apis.Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return pod["metadata"].get("name") == name and any(
        one["type"] == "PodScheduled" and one.get("reason") == "Unschedulable" for one in conditions
    )


def _is_for(name: str, claim: apis.Object) -> bool:
    noted = claim["metadata"].get("annotations") or {}
    return bool(noted.get("kaito.sh/workload-name") == f"Pod/{name}")


def _claims(api: apis.Api) -> int:
    """How many there are; one is read, as the machine is the planner's to use."""
    page = api.get(f"{claims.COLLECTION}?limit=1")
    return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))


def _refused(api: apis.Api) -> int:
    return sum(_is_refused(pod["metadata"]["name"], pod) for pod in api.get(PODS)["items"])


def _one(api: apis.Api, name: str) -> None:
    spec = provision_spec.ProvisionSpec((_TYPE,), 1).to_json()
    meta = {
        "name": name,
        "labels": {"kaito.sh/managed": "true"},
        "annotations": {"kaito.sh/provision-spec": spec},
    }
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    containers = [{"name": "model", "image": "model", "resources": limits}]
    selector = {"node.kubernetes.io/instance-type": _TYPE}
    api.create(
        PODS, {"metadata": meta, "spec": {"containers": containers, "nodeSelector": selector}}
    )
