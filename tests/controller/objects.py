"""Workloads and Services for tests: raw, as the API server has them."""

from typing import Any

from kubeapi import api

APPS = "/apis/apps/v1"


def workload(name: str = "chat", **meta: Any) -> api.Object:
    """A labelled workload in namespace team-a; `meta` replaces parts of its metadata."""
    return {
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "uid": f"uid-{name}",
            "labels": {"kaito.sh/preset": "tiny-chat"},
        }
        | meta,
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {}}},
    }


def own_service(name: str = "chat") -> api.Object:
    """A Service that the user made."""
    return {
        "metadata": {"name": name, "namespace": "team-a", "labels": {"team": "a"}},
        "spec": {"selector": {"app": "mine"}, "ports": [{"port": 8080, "protocol": "TCP"}]},
    }
