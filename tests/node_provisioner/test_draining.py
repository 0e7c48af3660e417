"""What is on a node that is to go, by the API server's own word."""

from typing import Any

import pytest

from kubeapi.client import Client
from node_provisioner import draining
from node_provisioner.draining import Use
from tests import apiserver
from tests.node_provisioner import objects

_NODE = objects.node_view("n1", claim="ws1")
_ENDING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("pods", "use"),
    [
        pytest.param([], Use.NONE, id="empty"),
        pytest.param([{}], Use.PODS, id="a pod"),
        pytest.param([{"labels": {}}], Use.PODS, id="anybody else's pod"),
        pytest.param([_ENDING], Use.ENDING, id="its last pod ends"),
        pytest.param([_ENDING, {}], Use.PODS, id="one ends, one stays"),
        pytest.param([{"ownerReferences": [{"kind": "DaemonSet"}]}], Use.NONE, id="daemons"),
    ],
)
def test_a_node_is_given_back_only_when_its_last_pod_has_ended(
    server: apiserver.ApiServer, client: Client, pods: list[dict[str, Any]], use: Use
) -> None:
    for n, changes in enumerate(pods):
        server.put("pods", objects.bound(f"p{n}", "n1", metadata=changes))
    server.put("pods", objects.bound("elsewhere", "n2"))
    assert draining.Nodes(client).use(_NODE) is use


def test_where_nobody_ends_pods_they_are_not_waited_for(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("pods", objects.bound("a", "n1", metadata=_ENDING))
    silent = objects.node_view("n1", claim="ws1", ready=False)
    assert draining.Nodes(client).use(silent) is Use.NONE


def test_a_node_is_closed_with_a_mark_and_opened_without(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("nodes", objects.node("n1", claim="ws1"))
    nodes = draining.Nodes(client)
    nodes.close(_NODE)
    (closed,) = server.all("nodes")
    assert closed["spec"]["unschedulable"] is True
    assert closed["metadata"]["annotations"] == {"kaito.sh/draining": "ws1"}
    nodes.open(_NODE)
    (opened,) = server.all("nodes")
    assert (opened["spec"], opened["metadata"]["annotations"]) == ({}, {})


def test_a_node_that_is_gone_is_neither_closed_nor_opened(
    server: apiserver.ApiServer, client: Client
) -> None:
    nodes = draining.Nodes(client)
    nodes.close(_NODE)
    nodes.open(_NODE)
    assert server.count("PATCH", "nodes") == 2
    assert server.all("nodes") == []
