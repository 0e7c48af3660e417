"""A node emptied before its claim goes: closed, looked at again, opened when it is needed.

Nothing that runs is evicted: a node on which anything but its own pods runs is not idle. What is
ending is waited for, so that it ends in its own time and not with its machine.
"""

from enum import Enum

from kubeapi import api
from node_provisioner import reclaim, views
from presets import annotations


class Use(Enum):
    """What a node is used for now, by the API server's own word."""

    NONE = "nothing"
    ENDING = "pods that are ending"
    PODS = "pods"


class Nodes:
    """Opens and closes nodes; changes nothing else of them."""

    def __init__(self, cluster: api.Api) -> None:
        self._api = cluster

    def use(self, node: views.NodeView) -> Use:
        """What is on the node."""
        query = {"fieldSelector": f"spec.nodeName={node.key}"}
        listed = self._api.get("/api/v1/pods", query).get("items") or ()
        held = [pod for pod in listed if reclaim.holds(pod, silent=not node.ready)]
        if any("deletionTimestamp" not in pod["metadata"] for pod in held):
            return Use.PODS
        return Use.ENDING if held else Use.NONE

    def close(self, node: views.NodeView) -> None:
        """Let no more pods onto it."""
        self._patch(node, node.claim, unschedulable=True)

    def open(self, node: views.NodeView) -> None:
        """Let pods onto it again."""
        self._patch(node, None, unschedulable=None)

    def _patch(self, node: views.NodeView, mark: str | None, *, unschedulable: bool | None) -> None:
        body = {
            "metadata": {"annotations": {annotations.DRAINING: mark}},
            "spec": {"unschedulable": unschedulable},
        }
        try:
            self._api.patch(f"/api/v1/nodes/{node.key}", body)
        except api.NotFound:
            return  # gone meanwhile
