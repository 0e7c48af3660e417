"""X1 on the real control plane: planners, extender and provider are killed at random for a minute.

Users create, scale and delete Deployments meanwhile. Afterwards nothing is killed any more, and the
cluster must come to rest: I1 to I5 and I7 hold. Time on a real machine makes no two runs alike;
`SEED=n` and `CHAOS_SECONDS=n` make others.
"""

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import api as apis
from deploy.local import claims
from deploy.local.api import Object
from presets import provision_spec
from presets import scheduling as names
from tests import programs
from tests.apiserver import until
from tests.scheduler_ext.placing import GPU, Placing, placing

pytestmark = [pytest.mark.controlplane, pytest.mark.slow, pytest.mark.timeout(400)]

_SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
_SEED = int(os.environ.get("SEED", "1"))
_REST_SECONDS = 120.0
_MOST_REPLICAS = 4
_WORKLOADS = ("a", "b", "c")
_OF_CLAIMS = {"NodeRequested", "NodeAwaited"}
"""Reasons of events that name a claim."""


class Provider:
    """Fulfils this test's claims with fake nodes; may be killed between any two of its calls."""

    def __init__(self, here: Placing) -> None:
        self._here = here
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Stop amid whatever it does."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(0.3):
            with contextlib.suppress(httpx.HTTPError, apis.Conflict, apis.NotFound):
                for step in self._steps():
                    if self._stop.is_set():
                        return
                    step()

    def _steps(self) -> Iterator[Callable[[], object]]:
        api, here = self._here.api, self._here
        for claim in bought(here):
            name = claim["metadata"]["name"]
            node, path = f"{here.namespace}-{name}", f"{claims.COLLECTION}/{name}"
            if claim["metadata"].get("deletionTimestamp"):
                yield partial(api.delete, f"/api/v1/nodes/{node}")
                yield partial(api.patch, path, {"metadata": {"finalizers": None}})
            elif not claim["metadata"].get("finalizers"):
                held = {"finalizers": [claims.FINALIZER], "uid": claim["metadata"]["uid"]}
                yield partial(api.patch, path, {"metadata": held})
            elif not _is_initialized(claim):
                yield partial(self._join, name)
                yield partial(here.initialize, name, node)

    def _join(self, name: str) -> None:
        with contextlib.suppress(apis.Conflict):
            self._here.node(name, claim=name)


@dataclass
class Chaos:
    """Programs that die and come back, and users who change their minds."""

    here: Placing
    kubeconfig: Path
    """Of the planners."""
    dice: random.Random
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    provider: Provider | None = None

    def start(self, name: str) -> None:
        """Start what does not run."""
        if name == "provider":
            self.provider = self.provider or Provider(self.here)
        elif name not in self.processes:
            self.processes[name] = subprocess.Popen(self._command(name))

    def kill(self, name: str) -> None:
        """SIGKILL."""
        if name == "provider" and self.provider:
            self.provider.kill()
            self.provider = None
        elif process := self.processes.pop(name, None):
            process.kill()
            process.wait()

    def _command(self, name: str) -> list[str]:
        here = self.here
        if name == "extender":
            flags = ["scheduler_ext", f"--port={here.ports[1]}"]
            kubeconfig = here.pair().kubeconfig
        else:
            flags = ["node_provisioner", "--idle-ttl=4s", "--launch-timeout=60s"]
            kubeconfig = self.kubeconfig
        return [sys.executable, "-m", *flags, f"--kubeconfig={kubeconfig}"]

    def ask(self) -> None:
        """One wish of a user."""
        name, replicas = self.dice.choice(_WORKLOADS), self.dice.randint(0, _MOST_REPLICAS)
        path = f"{_deployments(self.here)}/{name}"
        with contextlib.suppress(apis.NotFound):
            if self.dice.random() < 0.2:
                self.here.api.delete(path)
            elif name in {item["metadata"]["name"] for item in _listed(self.here)}:
                self.here.api.patch(path, {"spec": {"replicas": replicas}})
            else:
                self.here.api.create(_deployments(self.here), deployment(self.here, name, replicas))


def test_whatever_is_killed_when_the_invariants_hold_at_rest(
    cluster_api: apis.Api, control_plane_kubeconfig: Path
) -> None:
    dice = random.Random(_SEED)
    programs.install(cluster_api, "node-provisioner")
    rights = control_plane_kubeconfig.parent / "etc" / "node-provisioner.kubeconfig"
    with placing(cluster_api, control_plane_kubeconfig) as here, here.scheduling():
        chaos = Chaos(here, rights, dice)
        parts = ("planner-0", "planner-1", "extender", "provider")
        try:
            for part in parts:
                chaos.start(part)
            steady = _steady(here)
            stranger = _stranger(here)
            most = _rage(chaos, parts)
            assert here.api.get(stranger)["spec"].get("nodeName"), "I4"
            for part in parts:
                chaos.start(part)
            _rests(here)
            assert most <= 2 * (_MOST_REPLICAS * len(_WORKLOADS) + 1), "no runaway"
            assert {pod["metadata"]["uid"] for pod in _pods(here, "steady")} == steady, "I5"
            for item in _listed(here):
                here.api.delete(f"{_deployments(here)}/{item['metadata']['name']}")
            until(lambda: not bought(here), _REST_SECONDS)
        finally:
            for part in parts:
                chaos.kill(part)


def _steady(here: Placing) -> set[str]:
    """A workload that nobody touches; uids of its pods once they run."""
    here.api.create(_deployments(here), deployment(here, "steady", 1))
    until(lambda: _running(here, "steady") == 1, _REST_SECONDS)
    return {pod["metadata"]["uid"] for pod in _pods(here, "steady")}


def _stranger(here: Placing) -> str:
    """A pod without our label, which our scheduler has to place amid the chaos; its path."""
    here.nodes.add(f"{here.namespace}-own", {}, {"owner": here.namespace})
    return here.unmarked("stranger", nodeSelector={"owner": here.namespace})


def _rage(chaos: Chaos, parts: tuple[str, ...]) -> int:
    """Kill, start and ask for a while; the most claims that there ever were."""
    end, most = time.monotonic() + _SECONDS, 0
    while time.monotonic() < end:
        victim = chaos.dice.choice(parts)
        chaos.kill(victim)
        for _ in range(chaos.dice.randint(1, 3)):
            chaos.ask()
            time.sleep(chaos.dice.uniform(0.0, 1.0))
        for part in parts:
            if chaos.dice.random() < 0.7:
                chaos.start(part)
        most = max(most, len(bought(chaos.here)))
    return most


def _rests(here: Placing) -> None:
    """I1, I2, I3: every pod runs, on a claim of its own. I7: its workload was told of the claim."""

    def at_rest() -> bool:
        wanted = {item["metadata"]["name"]: item["spec"]["replicas"] for item in _listed(here)}
        right = all(_running(here, name) == count for name, count in wanted.items())
        used = {pod["spec"].get("nodeName") for name in wanted for pod in _pods(here, name)}
        nodes = [claim.get("status", {}).get("nodeName") for claim in bought(here)]
        return right and len(nodes) == sum(wanted.values()) and set(nodes) == used

    until(at_rest, _REST_SECONDS)
    events = here.api.get(f"/api/v1/namespaces/{here.namespace}/events")["items"]
    # A planner that dies after it bought, and before it said so, says what is awaited.
    told = [e["involvedObject"]["name"] for e in events if e["reason"] in _OF_CLAIMS]
    for claim in bought(here):
        _, _, workload = claim["metadata"]["annotations"]["kaito.sh/workload-name"].partition("/")
        pods = f"{workload}-"
        assert any(name == workload or name.startswith(pods) for name in told), f"I7: {workload}"


def deployment(here: Placing, name: str, replicas: int) -> Object:
    """What the webhook makes of a labelled Deployment, as far as our programs read it."""
    asked = {GPU: "1", names.MARKER: "1"}
    pod = {
        "schedulerName": here.scheduler,
        "terminationGracePeriodSeconds": 0,
        "nodeSelector": {"node.kubernetes.io/instance-type": here.type},
        "containers": [{"name": "c", "image": "x", "resources": {"limits": asked}}],
        "tolerations": [{"key": "sku", "operator": "Exists"}],
    }
    spec = provision_spec.ProvisionSpec((here.type,), 1).to_json()
    labels = {"app": name, "kaito.sh/managed": "true"}
    template = {
        "metadata": {"labels": labels, "annotations": {"kaito.sh/provision-spec": spec}},
        "spec": pod,
    }
    selector = {"matchLabels": {"app": name}}
    body: dict[str, Any] = {"replicas": replicas, "selector": selector, "template": template}
    return {"metadata": {"name": name}, "spec": body}


def bought(here: Placing) -> list[Object]:
    """Claims of this test."""
    chosen = f"labelSelector=kaito.sh/workload-namespace={here.namespace}"
    return list(here.api.get(f"{claims.COLLECTION}?{chosen}")["items"])


def _deployments(here: Placing) -> str:
    return f"/apis/apps/v1/namespaces/{here.namespace}/deployments"


def _listed(here: Placing) -> list[Object]:
    return list(here.api.get(_deployments(here))["items"])


def _pods(here: Placing, app: str) -> list[Object]:
    return [pod for pod in here.listed() if _app(pod) == app]


def _app(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get("app", ""))


def _running(here: Placing, app: str) -> int:
    return sum(pod["status"].get("phase") == "Running" for pod in _pods(here, app))


def _is_initialized(claim: Object) -> bool:
    return claims.is_initialized(claim.get("status", {}))
