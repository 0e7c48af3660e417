"""The local machine provider: fulfils NodeClaims with machines on this host.

What Karpenter or gpu-provisioner does with a cloud, with `machines`. Level-triggered: every change
of a claim or its node leads to `_reconcile`, which looks at what is there and does what is missing;
so it may be killed at any point and started again.
"""

import datetime as dt
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from deploy.local import api as apis
from deploy.local import claims, instance_types, machines, settings
from deploy.local.api import Api, Object

log = logging.getLogger("machine-provider")

WORKERS = 4
"""Machines that boot at the same time."""
MACHINES = 8
"""Machines that one host sells: each takes about 0.2 GB before it runs a model."""
DRAIN_SECONDS = 20
RETRY_SECONDS = 1.0
WATCH_SECONDS = 300
"""How long one watch lasts before it is begun again."""


class Provider:
    """Claims, nodes and machines of one cluster, brought into line."""

    def __init__(self, api: Api, loaded: settings.Settings) -> None:
        self._api = api
        self._settings = loaded
        self._site = loaded.site()
        self._claims: dict[str, Object] = {}
        self._nodes: dict[str, Object] = {}
        self._claims_known = threading.Event()
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._pool = ThreadPoolExecutor(WORKERS)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Lets `run` end with its current watch; what is being reconciled is finished."""
        self._stopping.set()
        self._pool.shutdown()

    def run(self) -> None:
        """Serves until `stop`."""
        watcher = threading.Thread(
            target=self._watch, args=("/api/v1/nodes", self._nodes, lambda _: None), daemon=True
        )
        watcher.start()
        self._watch(claims.COLLECTION, self._claims, self._clear_strays)
        watcher.join()

    def _watch(
        self, path: str, known: dict[str, Object], listed: Callable[[set[str]], None]
    ) -> None:
        """Keeps `known` like the collection at `path`; every change is a reason to reconcile."""
        while not self._stopping.is_set():
            try:
                collection = self._api.get(path)
                fresh = {item["metadata"]["name"]: item for item in collection["items"]}
                for name in set(known) - set(fresh):
                    known.pop(name)
                    self._notice(name)
                known.update(fresh)
                listed(set(fresh))
                for name in fresh:
                    self._notice(name)
                version = collection["metadata"]["resourceVersion"]
                for event in self._api.watch(path, version, WATCH_SECONDS):
                    self._take(event, known)
            except (apis.Gone, apis.NotFound, apis.Refused, httpx.HTTPError) as error:
                log.info("watch=%s lost=%r", path, str(error))
                self._stopping.wait(RETRY_SECONDS)

    def _take(self, event: Object, known: dict[str, Object]) -> None:
        if event["type"] == "BOOKMARK":
            return
        name = event["object"]["metadata"]["name"]
        if event["type"] == "DELETED":
            known.pop(name, None)
        else:
            known[name] = event["object"]
        self._notice(name)

    def _clear_strays(self, listed: set[str]) -> None:
        """Removes machines whose claim went while nobody looked."""
        self._claims_known.set()
        for name in machines.existing(self._site):
            if name not in listed and name != settings.SYSTEM_MACHINE:
                self._notice(name)

    def _notice(self, name: str) -> None:
        """Reconciles `name` once, after a run that is under way."""
        if name == settings.SYSTEM_MACHINE:
            return
        with self._lock:
            if self._stopping.is_set():
                return
            if name in self._busy:
                self._again.add(name)
                return
            self._busy.add(name)
            self._pool.submit(self._work, name)

    def _work(self, name: str) -> None:
        while True:
            try:
                self._reconcile(name)
            except (
                Exception
            ):  # the loop's one boundary: a bug in one claim must not stop the others
                log.exception("claim=%s reconcile failed", name)
                time.sleep(RETRY_SECONDS)
                with self._lock:
                    self._again.add(name)
            with self._lock:
                if name not in self._again or self._stopping.is_set():
                    self._busy.discard(name)
                    return
                self._again.discard(name)

    def _reconcile(self, name: str) -> None:
        if not self._claims_known.is_set():
            return  # a claim not yet seen is not one that is gone; their list will name it
        claim = self._claims.get(name)
        if claim is None:
            if name in machines.existing(self._site):
                self._tear_down(name, drain_seconds=0)
        elif not claims.is_ours(claim):
            return
        elif claim["metadata"].get("deletionTimestamp"):
            self._give_back(claim)
        else:
            self._fulfil(claim)

    def _fulfil(self, claim: Object) -> None:
        name = claim["metadata"]["name"]
        kind = instance_types.first_known(claims.required(claim, claims.INSTANCE_TYPE))
        if kind is None:
            self._refuse(claim, "none of the instance types asked for is sold here")
            return
        if claims.is_spot(claim) and kind.name in self._settings.no_spot:
            self._refuse(claim, f"no spot machine of {kind.name} can be had now")
            return
        if claims.FINALIZER not in claim["metadata"].get("finalizers", []):
            finalizers = [*claim["metadata"].get("finalizers", []), claims.FINALIZER]
            labels = claims.bought_labels(claim, kind)
            self._api.patch(_path(name), {"metadata": {"finalizers": finalizers, "labels": labels}})
        if not machines.is_alive(self._site, name) and not self._boot(claim, kind):
            return
        self._report(claim)

    def _boot(self, claim: Object, kind: instance_types.InstanceType) -> bool:
        """Starts the machine; False when there is no room for it."""
        name = claim["metadata"]["name"]
        begun = time.monotonic()
        if name in machines.existing(self._site):
            log.info("claim=%s clearing a half-made machine", name)
            machines.remove(self._site, name)
        # One at a time up to the start of its process 1: numbers are given out by looking.
        with _numbering:
            if len(machines.existing(self._site)) > MACHINES:
                self._refuse(claim, f"this host sells {MACHINES} machines and has no more")
                return False
            machine = machines.Machine(
                name=name,
                labels=claims.node_labels(claim, kind),
                taints=tuple(claim["spec"].get("taints", [])),
                provider_id=_provider_id(self._settings.name, name),
                device_plugin=self._settings.device_plugin(kind.gpus),
            )
            machines.create(self._site, machine, machines.free_index(self._site))
        seconds = time.monotonic() - begun
        log.info("claim=%s type=%s launched seconds=%.2f", name, kind.name, seconds)
        return True

    def _report(self, claim: Object) -> None:
        """Brings the claim's status, and the labels on its node, up to date."""
        name = claim["metadata"]["name"]
        node = self._nodes.get(name)
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = claims.status(claim, _provider_id(self._settings.name, name), node, now)
        present = claim.get("status", {})
        if any(present.get(key) != value for key, value in wanted.items()):
            self._api.patch(f"{_path(name)}/status", {"status": wanted})
        if node is None:
            return
        labels = {claims.REGISTERED: "true"}
        if claims.is_initialized(wanted):
            labels[claims.INITIALIZED] = "true"
        if labels.items() - node["metadata"].get("labels", {}).items():
            self._api.patch(f"/api/v1/nodes/{name}", {"metadata": {"labels": labels}})

    def _refuse(self, claim: Object, why: str) -> None:
        """As Karpenter does: an event, and the claim is gone."""
        name = claim["metadata"]["name"]
        log.info("claim=%s refused=%r", name, why)
        event = {
            "metadata": {"generateName": f"{name}.", "namespace": "default"},
            "type": "Warning",
            "reason": "InsufficientCapacityError",
            "message": why,
            "involvedObject": {
                "apiVersion": claims.GROUP,
                "kind": "NodeClaim",
                "name": name,
                "uid": claim["metadata"]["uid"],
            },
            "source": {"component": "machine-provider"},
        }
        self._api.create("/api/v1/namespaces/default/events", event)
        self._api.delete(_path(name))

    def _give_back(self, claim: Object) -> None:
        name = claim["metadata"]["name"]
        self._tear_down(name, drain_seconds=DRAIN_SECONDS)
        left = [f for f in claim["metadata"].get("finalizers", []) if f != claims.FINALIZER]
        try:
            self._api.patch(_path(name), {"metadata": {"finalizers": left}})
        except apis.NotFound:
            return
        log.info("claim=%s given back", name)

    def _tear_down(self, name: str, *, drain_seconds: float) -> None:
        """Drains the node, ends the machine, and deletes what the cluster still knows of it."""
        if name in self._nodes and drain_seconds:
            self._api.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
        deadline = time.monotonic() + drain_seconds
        while (pods := self._pods(name)) and time.monotonic() < deadline:
            for pod in pods:
                if not pod["metadata"].get("deletionTimestamp"):
                    self._api.delete(_pod_path(pod))
            time.sleep(0.2)
        machines.remove(self._site, name)
        for pod in self._pods(name):
            self._api.delete(_pod_path(pod), grace_seconds=0)
        self._api.delete(f"/api/v1/nodes/{name}")

    def _pods(self, node: str) -> list[Object]:
        found = self._api.get(f"/api/v1/pods?fieldSelector=spec.nodeName={node}")
        pods: list[Object] = found["items"]
        return pods


_numbering = threading.Lock()


def _path(name: str) -> str:
    return f"{claims.COLLECTION}/{name}"


def _pod_path(pod: Object) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _provider_id(cluster: str, name: str) -> str:
    return f"plainsail-local://{cluster}/{name}"


def main() -> None:
    """Runs the provider of the cluster whose settings file is the one argument."""
    logging.basicConfig(
        level=logging.INFO, format="ts=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    loaded = settings.load(Path(sys.argv[1]))
    Provider(Api(loaded.files.etc / "machine-provider.kubeconfig"), loaded).run()


if __name__ == "__main__":
    main()
