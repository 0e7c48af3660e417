"""The control plane without root: real servers on loopback, Karpenter's definitions, fake nodes."""

import time
from pathlib import Path

import pytest

from deploy.local import api as apis
from deploy.local import binaries, claims, control_plane
from deploy.local.fake_nodes import FakeNodes
from tests.apiserver import until

pytestmark = pytest.mark.controlplane


def test_our_scheduler_runs_beside_the_default_one_where_it_is_asked_for(tmp_path: Path) -> None:
    """It binds a pod with the marker, as the extender has let it."""
    programs = binaries.binaries(lambda _: None)
    asked = {"limits": {"kaito.sh/placement": "1", "nvidia.com/gpu": "1"}}
    pod = {
        "metadata": {"name": "marked"},
        "spec": {
            "schedulerName": "plainsail-scheduler",
            "containers": [{"name": "c", "image": "x", "resources": asked}],
        },
    }
    path = "/api/v1/namespaces/default/pods"
    with (
        control_plane.rootless(tmp_path, programs, own_scheduler=True) as kubeconfig,
        apis.Api(kubeconfig) as api,
        FakeNodes(api) as nodes,
    ):
        nodes.add("n1", {"nvidia.com/gpu": "1"})
        until(lambda: api.get("/api/v1/namespaces/default/serviceaccounts")["items"], 30.0)
        api.create(path, pod)
        until(lambda: api.get(f"{path}/marked")["spec"].get("nodeName") == "n1", 30.0)


def test_every_component_reports_the_pinned_version(cluster_api: apis.Api) -> None:
    assert cluster_api.get("/version")["gitVersion"] == f"v{binaries.KUBERNETES}"


def test_karpenters_definitions_are_served_and_validate(cluster_api: apis.Api) -> None:
    """A claim without a node class is refused by the schema of Karpenter itself."""
    body = {"apiVersion": claims.GROUP, "kind": "NodeClaim", "metadata": {"name": "x"}, "spec": {}}
    with pytest.raises(apis.Refused, match="nodeClassRef"):
        cluster_api.create(claims.COLLECTION, body)


def test_a_pod_is_scheduled_to_a_fake_node_with_a_gpu_and_runs(cluster_api: apis.Api) -> None:
    pod = {
        "metadata": {"name": "wants-a-gpu"},
        "spec": {
            "containers": [
                {"name": "c", "image": "x", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
            ]
        },
    }
    path = "/api/v1/namespaces/default/pods"
    with FakeNodes(cluster_api) as nodes:
        nodes.add("cpu-only", {})
        nodes.add("with-gpu", {"nvidia.com/gpu": "1"})
        deadline = time.monotonic() + 20
        # The namespace's ServiceAccount comes a moment after the control plane.
        while True:
            try:
                cluster_api.create(path, pod)
            except apis.Refused:
                assert time.monotonic() < deadline
                time.sleep(0.1)
                continue
            break
        while (found := cluster_api.get(f"{path}/wants-a-gpu"))["status"]["phase"] != "Running":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert found["spec"]["nodeName"] == "with-gpu"
        cluster_api.delete(f"{path}/wants-a-gpu", grace_seconds=0)
