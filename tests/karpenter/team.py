"""A namespace of the cluster that Karpenter serves, and what there is of it elsewhere."""

import json
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import api as apis
from deploy.local import claims
from tests import programs

Object = dict[str, Any]
NODE_CLASSES = "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses"
SECONDS = 60.0
"""Patience on a busy machine; a claim takes three to six seconds on an idle one."""


@dataclass
class Team:
    """One test's namespace."""

    api: apis.Api
    namespace: str
    kubeconfig: Path
    """Of the planner's ServiceAccount."""

    def planner(self, *flags: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """The planner as a process, with the rights of its manifest."""
        return programs.running("node_provisioner", self.kubeconfig, "--dialect=kwok", *flags)

    def deploy(self, name: str, **annotations: str) -> None:
        """A Deployment of five lines, expanded as the webhook expands it."""
        keys = {f"kaito.sh/{key.replace('_', '-')}": value for key, value in annotations.items()}
        manifest = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": {"kaito.sh/preset": "tiny-chat"},
                "annotations": keys,
            },
        }
        command = [sys.executable, "-m", "cli", "expand", "-f", "-", "-o", "json"]
        done = subprocess.run(
            command, input=json.dumps(manifest), capture_output=True, text=True, check=True
        )
        self.api.apply(apis.path_of(manifest), json.loads(done.stdout))

    def apply_node_class(self) -> None:
        """The class of nodes that our claims name."""
        kind = {"apiVersion": "karpenter.kwok.sh/v1alpha1", "kind": "KWOKNodeClass"}
        self.api.apply(
            f"{NODE_CLASSES}/default",
            {**kind, "metadata": {"name": "default"}, "spec": {"nodeRegistrationDelay": "1s"}},
        )

    def undeploy(self, name: str) -> None:
        """Take the Deployment away."""
        self.api.delete(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{name}")

    def leave(self) -> None:
        """Take away what this namespace has, and its claims."""
        for kind in ("apis/apps/v1", "api/v1"):
            plural = "deployments" if kind != "api/v1" else "pods"
            path = f"/{kind}/namespaces/{self.namespace}/{plural}"
            for found in self.api.get(path)["items"]:
                self.api.delete(f"{path}/{found['metadata']['name']}")
        for claim in self.claims():
            self.api.delete(f"{claims.COLLECTION}/{claim['metadata']['name']}")

    def claims(self) -> list[Object]:
        """Every NodeClaim in the cluster."""
        return list(self.api.get(claims.COLLECTION)["items"])

    def nodes(self) -> list[Object]:
        """Every node in the cluster."""
        return list(self.api.get("/api/v1/nodes")["items"])

    def pods(self) -> list[Object]:
        """The pods of the namespace."""
        return list(self.api.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"])

    def phases(self) -> list[str]:
        """The pods' phases."""
        return [pod["status"]["phase"] for pod in self.pods()]

    def said(self, reason: str, namespace: str = "") -> list[str]:
        """What events of this reason say, of our pods or of another namespace."""
        listed = self.api.get(f"/api/v1/namespaces/{namespace or self.namespace}/events")["items"]
        return [event["message"] for event in listed if event["reason"] == reason]


def conditions(claim: Object) -> dict[str, str]:
    """Status by type of condition."""
    found = claim.get("status", {}).get("conditions", ())
    return {condition["type"]: condition["status"] for condition in found}
