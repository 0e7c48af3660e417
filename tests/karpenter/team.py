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
from presets import scheduling
from tests import programs

Object = dict[str, Any]
NODE_CLASSES = "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses"
NODE_POOLS = "/apis/karpenter.sh/v1/nodepools"
POOL = "karpenter.sh/nodepool"
"""Label of what Karpenter bought for itself: the NodePool."""
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

    def deploy(self, name: str, *, marked: bool = True, **annotations: str) -> None:
        """A Deployment of five lines, expanded as the webhook expands it.

        Not `marked`: as by a webhook without our scheduler, for the default one.
        """
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
        expanded = json.loads(done.stdout)
        pod = expanded["spec"]["template"]["spec"]
        assert pod["schedulerName"] == scheduling.SCHEDULER
        if not marked:
            del pod["schedulerName"]
            for amounts in pod["containers"][0]["resources"].values():
                del amounts[scheduling.MARKER]
        self.api.apply(apis.path_of(manifest), expanded)

    def pod(self, name: str, template: Object) -> None:
        """A pod that is not ours."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        self.api.create(path, {"metadata": {"name": name}, "spec": template})

    def apply_node_class(self, delay: str = "1s") -> None:
        """The class of nodes that our claims name; its machines boot in `delay`."""
        kind = {"apiVersion": "karpenter.kwok.sh/v1alpha1", "kind": "KWOKNodeClass"}
        self.api.apply(
            f"{NODE_CLASSES}/default",
            {**kind, "metadata": {"name": "default"}, "spec": {"nodeRegistrationDelay": delay}},
        )

    def apply_node_pool(self, name: str, *instance_types: str) -> None:
        """A NodePool of Karpenter's own, as eager to take nodes away as it can be."""
        wanted = {
            "node.kubernetes.io/instance-type": list(instance_types),
            "karpenter.sh/capacity-type": ["on-demand"],
        }
        node = {
            "nodeClassRef": {
                "group": "karpenter.kwok.sh",
                "kind": "KWOKNodeClass",
                "name": "default",
            },
            "requirements": [
                {"key": key, "operator": "In", "values": values} for key, values in wanted.items()
            ],
            "expireAfter": "Never",
        }
        disruption = {
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "consolidateAfter": "0s",
            "budgets": [{"nodes": "100%"}],
        }
        spec = {"disruption": disruption, "template": {"spec": node}}
        kind = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name}}
        self.api.apply(f"{NODE_POOLS}/{name}", {**kind, "spec": spec})

    def scale(self, name: str, replicas: int) -> None:
        """Change how many pods there are."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{name}"
        self.api.patch(path, {"spec": {"replicas": replicas}})

    def undeploy(self, name: str) -> None:
        """Take the Deployment away."""
        self.api.delete(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{name}")

    def leave(self) -> None:
        """Take away what there is: workloads, NodePools and claims."""
        for collection in (
            f"/apis/apps/v1/namespaces/{self.namespace}/deployments",
            f"/api/v1/namespaces/{self.namespace}/pods",
            NODE_POOLS,
            claims.COLLECTION,
        ):
            for found in self.api.get(collection)["items"]:
                self.api.delete(f"{collection}/{found['metadata']['name']}")

    def ours(self) -> list[Object]:
        """NodeClaims of the planner."""
        return [claim for claim in self.claims() if "kaito.sh/claim" in labels(claim)]

    def theirs(self) -> list[Object]:
        """NodeClaims of Karpenter's own NodePools."""
        return [claim for claim in self.claims() if POOL in labels(claim)]

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

    def said(self, about: str, kind: str = "") -> dict[str, list[str]]:
        """Messages of the events about an object, by reason, the oldest first.

        `about` is how the object's name begins; `kind`: of that kind alone. What is said of nodes
        and claims is in the namespace `default` and stays from test to test.
        """
        told: dict[str, list[str]] = {}
        for namespace in (self.namespace, "default"):
            events = self.api.get(f"/api/v1/namespaces/{namespace}/events")["items"]
            for event in sorted(events, key=lambda e: int(e["metadata"]["resourceVersion"])):
                subject = event["involvedObject"]
                if subject.get("name", "").startswith(about) and kind in ("", subject["kind"]):
                    told.setdefault(event["reason"], []).append(event["message"])
        return told


def labels(found: Object) -> dict[str, str]:
    """Labels of an object."""
    return dict(found["metadata"].get("labels", {}))


def name(found: Object) -> str:
    """Name of an object."""
    return str(found["metadata"]["name"])


def conditions(claim: Object) -> dict[str, str]:
    """Status by type of condition."""
    found = claim.get("status", {}).get("conditions", ())
    return {condition["type"]: condition["status"] for condition in found}
