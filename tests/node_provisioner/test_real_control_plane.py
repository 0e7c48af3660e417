"""The planner on a real control plane: real scheduler, Karpenter's CRDs, its own ServiceAccount.

Nodes are fake: what a provider would do to a claim is done by hand.
"""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controller import gates, views
from deploy.local import api as apis
from deploy.local import claims
from deploy.local.fake_nodes import FakeNodes
from kubeapi import leases
from kubeapi.client import connect
from kubeapi.events import Recorder
from kubeapi.host import REAL
from presets import provision_spec
from tests import programs
from tests.apiserver import until

pytestmark = pytest.mark.controlplane

_TYPE = "Standard_NC6s_v3"
_SECONDS = 30.0
"""Patience on a busy machine; what is waited for takes well under a second on an idle one."""


@dataclass
class _Cluster:
    """One test's namespace on the control plane."""

    api: apis.Api
    namespace: str
    kubeconfig: Path
    """Of the planner's ServiceAccount."""

    def deploy(self, replicas: int) -> None:
        """What the webhook makes of a labelled Deployment, as far as the planner reads it."""
        spec = provision_spec.ProvisionSpec((_TYPE,), 1).to_json()
        limits = {"limits": {"nvidia.com/gpu": "1"}}
        pod = {
            "nodeSelector": {"node.kubernetes.io/instance-type": _TYPE},
            "containers": [{"name": "model", "image": "model", "resources": limits}],
            "terminationGracePeriodSeconds": 0,
        }
        labels = {"app": "chat", "kaito.sh/managed": "true"}
        noted = {"kaito.sh/provision-spec": spec}
        template = {"metadata": {"labels": labels, "annotations": noted}, "spec": pod}
        selector = {"matchLabels": {"app": "chat"}}
        body = {"replicas": replicas, "selector": selector, "template": template}
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        self.api.create(path, {"metadata": {"name": "chat"}, "spec": body})

    def start_job(self, parallelism: int) -> None:
        """A Job whose pods wait for one another."""
        labels = {"kaito.sh/managed": "true"}
        noted = {"kaito.sh/provision-spec": provision_spec.ProvisionSpec((_TYPE,), 1).to_json()}
        limits = {"limits": {"nvidia.com/gpu": "1"}}
        pod = {
            "schedulingGates": [{"name": "kaito.sh/provisioning"}],
            "nodeSelector": {"node.kubernetes.io/instance-type": _TYPE},
            "containers": [{"name": "model", "image": "model", "resources": limits}],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
        }
        template = {"metadata": {"labels": labels, "annotations": noted}, "spec": pod}
        spec = {"parallelism": parallelism, "completions": parallelism, "template": template}
        path = f"/apis/batch/v1/namespaces/{self.namespace}/jobs"
        self.api.create(path, {"metadata": {"name": "tune"}, "spec": spec})

    def leader(self) -> str:
        """Who holds the planner's Lease; empty: nobody."""
        leases = "/apis/coordination.k8s.io/v1/namespaces/plainsail-system/leases"
        found = self.api.get(leases)["items"]
        spec: dict[str, Any] = next((one["spec"] for one in found), {})
        return str(spec.get("holderIdentity", ""))

    def gated(self) -> int:
        """Pods that wait behind a gate."""
        listed = self.api.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return sum("schedulingGates" in pod["spec"] for pod in listed)

    def scale(self, replicas: int) -> None:
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/chat"
        self.api.patch(path, {"spec": {"replicas": replicas}})

    def claims(self) -> list[Any]:
        chosen = f"labelSelector=kaito.sh/workload-namespace={self.namespace}"
        return list(self.api.get(f"{claims.COLLECTION}?{chosen}")["items"])

    def has_claims(self, count: int) -> list[Any]:
        until(lambda: len(self.claims()) == count, _SECONDS)
        return self.claims()

    def pods(self, phase: str) -> int:
        listed = self.api.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return sum(pod["status"]["phase"] == phase for pod in listed)

    def reasons(self) -> set[str]:
        listed = self.api.get(f"/api/v1/namespaces/{self.namespace}/events")["items"]
        return {event["reason"] for event in listed}

    def fulfil(self, claim: Any, nodes: FakeNodes, node: str) -> None:
        """Join the node first without its GPU, then with it, and say that it can be used."""
        labels = {"kaito.sh/claim": claim["metadata"]["name"]}
        nodes.add(node, {}, labels | {"node.kubernetes.io/instance-type": _TYPE})
        nodes.set_resources(node, {"nvidia.com/gpu": "1"})
        done = {"type": "Initialized", "status": "True", "reason": "Initialized", "message": ""}
        done["lastTransitionTime"] = "2026-01-01T00:00:00Z"
        status = {"status": {"nodeName": node, "conditions": [done]}}
        self.api.patch(f"{claims.COLLECTION}/{claim['metadata']['name']}/status", status)


@pytest.fixture
def cluster(cluster_api: apis.Api, control_plane_kubeconfig: Path) -> Iterator[_Cluster]:
    """A fresh namespace, and the planner's rights."""
    programs.install(cluster_api, "node-provisioner")
    rights = control_plane_kubeconfig.parent / "etc" / "node-provisioner.kubeconfig"
    made = _Cluster(cluster_api, programs.namespace(cluster_api), rights)
    yield made
    cluster_api.delete(f"/apis/apps/v1/namespaces/{made.namespace}/deployments/chat")
    cluster_api.delete(f"/apis/batch/v1/namespaces/{made.namespace}/jobs/tune")
    for claim in made.claims():
        cluster_api.delete(f"{claims.COLLECTION}/{claim['metadata']['name']}")


def test_a_node_is_bought_used_and_given_back(cluster: _Cluster) -> None:
    """Unschedulable pod, one claim, an event, node, pod running there, scaled down, claim gone."""
    with (
        FakeNodes(cluster.api) as nodes,
        programs.running("node_provisioner", cluster.kubeconfig, "--idle-ttl=1s"),
    ):
        cluster.deploy(replicas=1)
        (claim,) = cluster.has_claims(1)
        assert claim["spec"]["expireAfter"] == "Never"
        until(lambda: "NodeRequested" in cluster.reasons(), _SECONDS)
        cluster.fulfil(claim, nodes, f"{cluster.namespace}-n1")
        until(lambda: cluster.pods("Running") == 1, _SECONDS)
        assert len(cluster.claims()) == 1
        cluster.scale(0)
        cluster.has_claims(0)


def test_killed_at_any_moment_it_buys_once(cluster: _Cluster) -> None:
    """Three pods; the planner is killed as soon as it has bought anything, twice."""
    cluster.deploy(replicas=3)
    until(lambda: cluster.pods("Pending") == 3, _SECONDS)
    for _ in range(2):
        with programs.running("node_provisioner", cluster.kubeconfig) as planner:
            until(cluster.claims, _SECONDS)
            planner.kill()
    with programs.running("node_provisioner", cluster.kubeconfig):
        found = cluster.has_claims(3)
        cluster.scale(4)
        assert {claim["metadata"]["uid"] for claim in found} < {
            claim["metadata"]["uid"] for claim in cluster.has_claims(4)
        }


def test_a_planner_that_stood_still_finds_another_leading_and_nothing_is_bought_twice(
    cluster: _Cluster,
) -> None:
    """P2, with real Leases: one is stopped until the other has taken over, and goes on."""
    with (
        programs.running("node_provisioner", cluster.kubeconfig, "--identity=one") as one,
        programs.running("node_provisioner", cluster.kubeconfig, "--identity=two"),
    ):
        until(lambda: cluster.leader() in {"one", "two"}, _SECONDS)
        cluster.deploy(replicas=1)
        cluster.has_claims(1)
        if cluster.leader() == "one":
            one.send_signal(signal.SIGSTOP)
            until(lambda: cluster.leader() == "two", _SECONDS)
        cluster.scale(3)
        cluster.has_claims(3)
        one.send_signal(signal.SIGCONT)
        cluster.scale(4)
        cluster.has_claims(4)
        time.sleep(1.0)
        assert len(cluster.claims()) == 4
        assert cluster.leader() == "two"


def test_a_claim_that_is_taken_back_before_its_node_came_is_told(cluster: _Cluster) -> None:
    """The only offer is left alone for a moment, the pod says so, and it is bought again."""
    cluster.deploy(replicas=1)
    with programs.running("node_provisioner", cluster.kubeconfig):
        (claim,) = cluster.has_claims(1)
        cluster.api.delete(f"{claims.COLLECTION}/{claim['metadata']['name']}")
        until(lambda: "NodeUnavailable" in cluster.reasons(), _SECONDS)
        (again,) = cluster.has_claims(1)
        assert again["metadata"]["uid"] != claim["metadata"]["uid"]


def test_a_gang_starts_together_and_a_dead_planner_does_not_hold_it(cluster: _Cluster) -> None:
    """P17, and the gate on the real API server: a Job of two pods and two bought nodes."""
    cluster.start_job(parallelism=2)
    with (
        FakeNodes(cluster.api) as nodes,
        programs.running("node_provisioner", cluster.kubeconfig, "--idle-ttl=60s"),
    ):
        first, second = cluster.has_claims(2)
        cluster.fulfil(first, nodes, f"{cluster.namespace}-n1")
        assert cluster.gated() == 2
        cluster.fulfil(second, nodes, f"{cluster.namespace}-n2")
        until(lambda: cluster.gated() == 0, _SECONDS)
        until(lambda: cluster.pods("Running") == 2, _SECONDS)


def test_a_gate_can_be_lifted_by_the_controller(cluster: _Cluster) -> None:
    """Its rights, and the very call of the watchdog; its patience is tested on a clock."""
    cluster.start_job(parallelism=1)
    until(lambda: cluster.gated() == 1, _SECONDS)
    programs.install(cluster.api, "controller")
    rights = cluster.kubeconfig.parent / "controller.kubeconfig"
    client = connect(str(rights), program="tests")
    watchdog = gates.Watchdog(client, Recorder(client, "tests", REAL.now), leases.PLANNER)
    (pod,) = cluster.api.get(f"/api/v1/namespaces/{cluster.namespace}/pods")["items"]
    view = views.gated_pod(pod)
    assert view is not None
    watchdog.work([view], 1000.0)
    assert cluster.gated() == 1
    watchdog.work([view], 1000.0 + gates.DEAD_SECONDS)
    assert cluster.gated() == 0
