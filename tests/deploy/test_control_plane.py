"""The control plane without root: real servers on loopback, Karpenter's definitions, fake nodes."""

import time

import pytest

from deploy.local import api as apis
from deploy.local import binaries, claims
from deploy.local.fake_nodes import FakeNodes

pytestmark = pytest.mark.controlplane


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
