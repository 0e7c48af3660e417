"""The controller on a real control plane, with the rights of its own ServiceAccount."""

import functools
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local import api as apis
from deploy.local import binaries, manifests
from deploy.local.fake_nodes import FakeNodes
from tests import programs
from tests.apiserver import until

pytestmark = pytest.mark.controlplane

_NODE = "kubernetes.io/hostname"
_SECONDS = 30.0
"""Patience on a busy machine; what is waited for takes a second on an idle one."""


@dataclass
class _Namespace:
    """One test's namespace on the control plane, with a running controller."""

    api: apis.Api
    name: str
    kubectl: list[str]

    def deploy(self, name: str = "chat", replicas: int = 0) -> None:
        labels = {"app": name}
        containers = [{"name": "model", "image": "model"}]
        pod = {"containers": containers, "nodeSelector": {_NODE: self.name}}
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        meta = {"name": name, "labels": {"kaito.sh/preset": "tiny-chat"}}
        self.api.create(self.path("deployments"), {"metadata": meta, "spec": spec})

    def path(self, plural: str) -> str:
        group = "apis/apps" if plural == "deployments" else "api"
        return f"/{group}/v1/namespaces/{self.name}/{plural}"

    def list(self, plural: str) -> list[Any]:
        return list(self.api.get(self.path(plural))["items"])

    def is_of(self, kind: str) -> bool:
        return bool(self.service()["spec"]["type"] == kind)

    def service(self, name: str = "chat") -> Any:
        def named() -> Any:
            return [one for one in self.list("services") if one["metadata"]["name"] == name]

        return until(lambda: next(iter(named()), None), _SECONDS)

    def run(self, *argv: str, stdin: str = "") -> str:
        """What kubectl, or another command, prints."""
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def namespace(cluster_api: apis.Api, control_plane_kubeconfig: Path) -> Iterator[_Namespace]:
    """A fresh namespace, and the controller with its rights."""
    programs.install(cluster_api, "controller")
    rights = control_plane_kubeconfig.parent / "etc" / "controller.kubeconfig"
    name = programs.namespace(cluster_api)
    kubectl = str(binaries.binaries(lambda _: None) / "kubectl")
    flags = [f"--kubeconfig={control_plane_kubeconfig}", f"--namespace={name}"]
    made = _Namespace(cluster_api, name, [kubectl, *flags])
    with programs.running("controller", rights):
        yield made
        cluster_api.delete(made.path("deployments"))


def test_a_service_is_made_and_goes_with_its_deployment(namespace: _Namespace) -> None:
    namespace.deploy()
    spec = namespace.service()["spec"]
    assert spec["selector"] == {"app": "chat"}
    assert [(p["name"], p["port"], p["targetPort"]) for p in spec["ports"]] == [("http", 80, 5000)]
    namespace.api.delete(f"{namespace.path('deployments')}/chat")
    until(lambda: namespace.list("services") == [], _SECONDS)


def test_a_changed_service_is_mended_and_keeps_what_the_user_added(namespace: _Namespace) -> None:
    namespace.deploy()
    made = namespace.service()
    path = f"{namespace.path('services')}/chat"
    added = {"metadata": {"annotations": {"team": "a"}}, "spec": {"selector": {"app": "other"}}}
    namespace.api.patch(path, added)
    until(lambda: namespace.service()["spec"]["selector"] == {"app": "chat"}, _SECONDS)
    after = namespace.service()
    assert after["metadata"]["annotations"] == {"team": "a"}
    assert after["metadata"]["uid"] == made["metadata"]["uid"]


def test_the_type_comes_and_goes_with_the_annotation(namespace: _Namespace) -> None:
    """Nothing here gives it an address, as nothing does in a cluster without load balancers."""
    namespace.deploy()
    first = namespace.service()
    assert first["spec"]["type"] == "ClusterIP"
    path = f"{namespace.path('deployments')}/chat"
    for text, kind in (("True", "LoadBalancer"), (None, "ClusterIP")):
        namespace.api.patch(path, {"metadata": {"annotations": {"kaito.sh/enablelb": text}}})
        until(functools.partial(namespace.is_of, kind), _SECONDS)
    after = namespace.service()
    assert after["metadata"]["uid"] == first["metadata"]["uid"]
    assert "annotations" not in after["metadata"]


def test_the_service_goes_with_the_label(namespace: _Namespace) -> None:
    namespace.deploy()
    namespace.service()
    unlabel = {"metadata": {"labels": {"kaito.sh/preset": None}}}
    namespace.api.patch(f"{namespace.path('deployments')}/chat", unlabel)
    until(lambda: namespace.list("services") == [], _SECONDS)


def test_an_ejected_workload_keeps_its_service(namespace: _Namespace) -> None:
    """As docs/guides/preview.md has a running workload taken over."""
    namespace.deploy()
    before = namespace.service()
    live = namespace.run(*namespace.kubectl, "get", "deployment,service", "-o", "yaml")
    plain = namespace.run(sys.executable, "-m", "cli", "eject", "-f", "-", stdin=live)
    namespace.run(*namespace.kubectl, "replace", "-f", "-", stdin=plain)
    namespace.deploy("other")
    namespace.service("other")  # the controller has seen all that was before it
    after = namespace.service()
    assert "ownerReferences" not in after["metadata"]
    for part, key in (("metadata", "uid"), ("spec", "clusterIP"), ("spec", "selector")):
        assert after[part][key] == before[part][key]


def test_a_users_own_service_wins(namespace: _Namespace) -> None:
    own = {"metadata": {"name": "chat"}, "spec": {"ports": [{"port": 8080}]}}
    created = namespace.api.create(namespace.path("services"), own)
    namespace.deploy()
    events = until(lambda: namespace.list("events"), _SECONDS)
    assert [event["reason"] for event in events] == ["ServiceConflict"]
    (kept,) = namespace.list("services")
    assert (kept["metadata"], kept["spec"]) == (created["metadata"], created["spec"])


def test_after_an_uninstallation_pods_run_on_and_the_service_goes_with_its_workload(
    cluster_api: apis.Api, control_plane_kubeconfig: Path
) -> None:
    """X2: program and rights are gone; the owner reference does the rest."""
    programs.install(cluster_api, "controller")
    rights = control_plane_kubeconfig.parent / "etc" / "controller.kubeconfig"
    made = _Namespace(cluster_api, programs.namespace(cluster_api), [])

    def running() -> list[str]:
        pods = made.list("pods")
        return [p["metadata"]["uid"] for p in pods if p["status"]["phase"] == "Running"]

    with FakeNodes(cluster_api) as nodes:
        nodes.add(made.name, {}, {_NODE: made.name})
        with programs.running("controller", rights):
            made.deploy(replicas=1)
            service = made.service()
            before = until(running, _SECONDS)
        for document in reversed(manifests.documents("controller")):
            cluster_api.delete(apis.path_of(document))
        time.sleep(1.0)
        assert (running(), made.service()["metadata"]) == (before, service["metadata"])
        cluster_api.delete(f"{made.path('deployments')}/chat")
        until(lambda: made.list("services") == [], _SECONDS)
