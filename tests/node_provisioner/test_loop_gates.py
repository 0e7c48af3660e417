"""Pods behind the scheduling gate, against an API server in memory."""

import dataclasses
import time

import pytest

from kubeapi import api
from tests import apiserver
from tests.apiserver import until
from tests.node_provisioner import objects, playing
from tests.node_provisioner.conftest import Start

pytestmark = pytest.mark.slow  # mostly waits


_GATED: api.Object = {"schedulingGates": [{"name": "kaito.sh/provisioning"}]}
_OF_JOB = {"ownerReferences": [{"kind": "Job", "name": "tune", "controller": True}]}


def _job(parallelism: int) -> api.Object:
    template = {"spec": _GATED}
    spec = {"parallelism": parallelism, "completions": parallelism, "template": template}
    return {"metadata": {"name": "tune", "namespace": "default"}, "spec": spec}


def _gates(server: apiserver.ApiServer) -> list[bool]:
    return ["schedulingGates" in pod["spec"] for pod in server.all("pods")]


def _assert_two_start_together(server: apiserver.ApiServer) -> None:
    """With both nodes, and neither with one of them."""
    one, two = playing.claims(server, 2)
    playing.fulfil(server, one, "n1")
    time.sleep(playing.QUIET_SECONDS)
    assert _gates(server) == [True, True]
    playing.fulfil(server, two, "n2")
    until(lambda: _gates(server) == [False, False])


def test_the_pods_of_a_job_start_together_when_every_node_is_there(
    server: apiserver.ApiServer, start: Start
) -> None:
    start()
    server.put("jobs", _job(2))
    server.put("pods", objects.pod("a", spec_changes=_GATED, metadata=_OF_JOB))
    assert "1 pods wait for 1 more" in playing.event(server, "PodsAwaited")["message"]
    assert server.all("nodeclaims") == []
    server.put("pods", objects.pod("b", spec_changes=_GATED, metadata=_OF_JOB))
    _assert_two_start_together(server)
    assert "all 2 pods" in playing.event(server, "NodesReady")["message"]


def test_the_pods_of_a_model_over_several_nodes_start_together_without_a_job(
    server: apiserver.ApiServer, start: Start
) -> None:
    """Their own annotation says how many they are; nothing else is looked up."""
    owner = {"kind": "StatefulSet", "name": "big", "controller": True}
    spec = dataclasses.replace(objects.SPEC, nodes=2)
    start()
    for name in ("big-0", "big-1"):
        assert server.all("nodeclaims") == []
        pod = objects.pod(name, spec=spec, spec_changes=_GATED)
        pod["metadata"]["ownerReferences"] = [owner]
        server.put("pods", pod)
        if name == "big-0":
            assert "1 pods wait for 1 more" in playing.event(server, "PodsAwaited")["message"]
    _assert_two_start_together(server)


def test_a_gated_pod_uses_a_node_that_is_there(server: apiserver.ApiServer, start: Start) -> None:
    server.put("nodes", objects.node("own"))
    start()
    server.put("pods", objects.pod("a", spec_changes=_GATED))
    until(lambda: _gates(server) == [False])
    assert server.all("nodeclaims") == []


def test_a_gate_of_somebody_else_is_never_touched(
    server: apiserver.ApiServer, start: Start
) -> None:
    both = {"schedulingGates": [*_GATED["schedulingGates"], {"name": "team/quota"}]}
    server.put("nodes", objects.node("own"))
    server.put("pods", objects.pod("a", spec_changes=both))
    start()
    time.sleep(2 * playing.QUIET_SECONDS)
    assert _gates(server) == [True]
    assert server.count("PATCH", "pods") == 0
