"""Pods, nodes, claims and requests for tests: views to bend, and raw bodies as they are sent."""

from dataclasses import replace
from typing import Any

import orjson

from kubeapi import api
from presets import provision_spec, scheduling
from scheduler_ext import fit, snapshot, views
from tests import builders

TYPE = "Standard_NC6s_v3"
GPU = "nvidia.com/gpu"


def pod(name: str = "chat-1", **changes: Any) -> views.PodView:
    """A waiting pod of Deployment `chat` that asks for one GPU and our marker."""
    plain = views.PodView(
        key=f"default/{name}",
        uid=f"uid-{name}",
        workload="default/Deployment/chat",
        managed=True,
        marked=True,
        gated=False,
        node="",
        priority=0,
        created="2026-01-01T00:00:00Z",
        instance_types=(TYPE,),
        devices=((GPU, 1),),
    )
    return replace(plain, **changes)


def node(name: str = "n1", **changes: Any) -> views.NodeView:
    """A healthy node with one GPU that is not ours."""
    plain = views.NodeView(name, instance_type=TYPE, devices=((GPU, 1),))
    return replace(plain, **changes)


def claim(name: str = "ws1", **changes: Any) -> views.ClaimView:
    """A claim of Deployment `chat` whose node `n1` is ready."""
    plain = views.ClaimView(
        name, f"uid-{name}", "default/Deployment/chat", "n1", initialized=True, terminating=False
    )
    return replace(plain, **changes)


def candidate(**changes: Any) -> fit.Candidate:
    """That node with its GPU free."""
    return replace(fit.Candidate(node(), free={GPU: 1}), **changes)


def taken(
    *parts: views.PodView | views.NodeView | views.ClaimView, fresh: tuple[str, ...] = ()
) -> snapshot.Snapshot:
    """The snapshot of a cluster that consists of these."""
    return snapshot.take(
        [part for part in parts if isinstance(part, views.PodView)],
        [part for part in parts if isinstance(part, views.NodeView)],
        [part for part in parts if isinstance(part, views.ClaimView)],
        fresh=fresh,
    )


def raw_pod(name: str = "chat-1", **changes: Any) -> api.Object:
    """A pod as kube-scheduler sends it, and as the API server has it."""
    asked = {GPU: "1", scheduling.MARKER: "1"}
    spec = provision_spec.ProvisionSpec((TYPE,), 1).to_json()
    raw: api.Object = {
        "metadata": builders.pod_metadata(name, spec),
        "spec": {
            "containers": [{"name": "model", "resources": {"limits": asked, "requests": asked}}],
            "schedulerName": scheduling.SCHEDULER,
            "priority": 0,
        },
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }
    for part in ("metadata", "spec", "status"):
        raw[part] |= changes.pop(part, {})
    assert not changes
    return raw


def raw_node(name: str = "n1", claim: str = "", **changes: Any) -> api.Object:
    """A node with one GPU."""
    labels = {views.INSTANCE_TYPE: TYPE} | ({"kaito.sh/claim": claim} if claim else {})
    ready = {"type": "Ready", "status": "True"}
    status = {"allocatable": {"cpu": "8", GPU: "1"}, "conditions": [ready], "images": []}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status | changes}


def raw_claim(name: str = "ws1", *, initialized: bool = True) -> api.Object:
    """A claim of Deployment `chat` whose node is `n1`."""
    labels = {"kaito.sh/claim": name, "kaito.sh/workload-namespace": "default"}
    noted = {"kaito.sh/workload-name": "Deployment/chat"}
    done = {"type": "Initialized", "status": str(initialized)}
    return {
        "metadata": {"name": name, "labels": labels, "annotations": noted},
        "spec": {},
        "status": {"nodeName": "n1", "conditions": [done]},
    }


def request(pod: api.Object, *names: str) -> bytes:
    """A body of /filter or /prioritize."""
    return orjson.dumps({"Pod": pod, "Nodes": None, "NodeNames": list(names)})


def preemption(pod: api.Object, **victims: list[str]) -> bytes:
    """A body of /preempt: uids of victims by node."""
    meta = {
        name: {"Pods": [{"UID": uid} for uid in uids], "NumPDBViolations": 0}
        for name, uids in victims.items()
    }
    return orjson.dumps(
        {"Pod": pod, "NodeNameToVictims": None, "NodeNameToMetaVictims": meta or None}
    )
