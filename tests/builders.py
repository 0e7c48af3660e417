"""Workloads for tests, bent in one line: `deployment("m").preset("tiny-chat").build()`."""

import copy
import random
from typing import Any, Self

from presets import annotations


class Workload:
    """A workload under construction."""

    def __init__(self, kind: str, name: str) -> None:
        group = "batch/v1" if kind == "Job" else "apps/v1"
        self._object: dict[str, Any] = {
            "apiVersion": group,
            "kind": kind,
            "metadata": {"name": name, "namespace": "default"},
        }

    def preset(self, name: str = "tiny-chat") -> Self:
        return self.label(annotations.PRESET, name)

    def label(self, key: str, value: str) -> Self:
        self._object["metadata"].setdefault("labels", {})[key] = value
        return self

    def annotation(self, key: str, value: str) -> Self:
        self._object["metadata"].setdefault("annotations", {})[key] = value
        return self

    def selector(self, **labels: str) -> Self:
        spec = self._spec()
        spec["selector"] = {"matchLabels": dict(labels)}
        spec.setdefault("template", {}).setdefault("metadata", {})["labels"] = dict(labels)
        return self

    def spec(self, **fields: object) -> Self:
        self._spec().update(fields)
        return self

    def pod(self, **fields: object) -> Self:
        self._spec().setdefault("template", {}).setdefault("spec", {}).update(fields)
        return self

    def container(self, name: str, **fields: object) -> Self:
        pod = self._spec().setdefault("template", {}).setdefault("spec", {})
        pod.setdefault("containers", []).append({"name": name, **fields})
        return self

    def build(self) -> dict[str, Any]:
        return copy.deepcopy(self._object)

    def _spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self._object.setdefault("spec", {})
        return spec


def deployment(name: str = "chat") -> Workload:
    return Workload("Deployment", name)


def stateful_set(name: str = "chat") -> Workload:
    return Workload("StatefulSet", name)


def job(name: str = "chat") -> Workload:
    return Workload("Job", name)


def pod_metadata(name: str, spec: str) -> dict[str, Any]:
    """Metadata of a pod of Deployment `chat` for which nodes are bought by `spec`."""
    return {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {annotations.MANAGED: "true", "pod-template-hash": "5d9c7"},
        "annotations": {annotations.PROVISION_SPEC: spec} if spec else {},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "chat-5d9c7", "controller": True}],
    }


def stored(workload: dict[str, Any]) -> dict[str, Any]:
    """The workload as the API server keeps it: the defaults that matter to expansion set.

    Source: what a kube-apiserver sends to a webhook (docs/concepts of Kubernetes: defaulting).
    """
    out = copy.deepcopy(workload)
    spec = out.setdefault("spec", {})
    if out["kind"] == "Deployment":
        spec.setdefault("progressDeadlineSeconds", 600)
    if out["kind"] == "Job":
        spec.setdefault("backoffLimit", 6)
        spec.setdefault("podReplacementPolicy", _replacement(spec))
    else:
        spec.setdefault("selector", None)
    if out["kind"] == "StatefulSet":
        for key, value in _STATEFUL_SET_DEFAULTS.items():
            spec.setdefault(key, value)
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {}).setdefault("creationTimestamp", None)
    pod = template.setdefault("spec", {})
    pod.setdefault("containers", None)
    for key, value in _POD_DEFAULTS.items():
        pod.setdefault(key, copy.deepcopy(value))
    for container in pod["containers"] or ():
        for key, value in _CONTAINER_DEFAULTS.items():
            container.setdefault(key, copy.deepcopy(value))
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            if probe in container:
                container[probe].setdefault("successThreshold", 1)
    return out


def _replacement(job: dict[str, Any]) -> str:
    return "Failed" if job.get("podFailurePolicy") else "TerminatingOrFailed"


_STATEFUL_SET_DEFAULTS = {"podManagementPolicy": "OrderedReady", "replicas": 1, "serviceName": ""}
_POD_DEFAULTS = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER_DEFAULTS = {
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


KINDS = ("Deployment", "StatefulSet", "Job")
EDITABLE = ("Deployment", "StatefulSet")
"""Those whose pods may be changed after they were stored."""


def anyhow(seed: int, kinds: tuple[str, ...] = KINDS) -> dict[str, Any]:
    """A labelled workload of one of `kinds` that admission accepts, of a shape drawn by `seed`."""
    draw = random.Random(seed)
    kind = draw.choice(kinds)
    out = Workload(kind, f"w{seed}").preset(draw.choice(["tiny-chat", "phi-3-mini-4k-instruct"]))
    if kind != "Job" and draw.random() < 0.5:
        out.selector(app=f"w{seed}")
    if draw.random() < 0.3:
        out.annotation(annotations.CAPACITY_TYPE, draw.choice(["spot", "spot,on-demand"]))
    if draw.random() < 0.3:
        out.annotation(annotations.INSTANCE_TYPES, "Standard_NC24s_v3,Standard_NC96ads_A100_v4")
    if draw.random() < 0.3:
        out.annotation("example.com/note", "kept")
    if draw.random() < 0.8:
        out.pod(**_pod(draw))
    if draw.random() < 0.3:
        out.spec(**draw.choice([{"replicas": 2}, {"minReadySeconds": 5}]))
    return out.build()


def _pod(draw: random.Random) -> dict[str, Any]:
    some: dict[str, Any] = {
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "nodeSelector": {"zone": "a"},
        "volumes": [{"name": "own", "emptyDir": {}}],
        "securityContext": {"runAsUser": 1000},
        "serviceAccountName": "own",
        "restartPolicy": "Never",
    }
    fields = {key: value for key, value in some.items() if draw.random() < 0.3}
    shape = draw.choice(["null", "empty", "stub", "image", "beside"])
    if shape == "null":
        return {**fields, "containers": None}
    if shape == "empty":
        return {**fields, "containers": []}
    container = _container(draw, has_image=shape == "image")
    beside = [{"name": "app", "image": "registry.example.com/app:1"}] if shape == "beside" else []
    return {**fields, "containers": [container, *beside]}


def _container(draw: random.Random, *, has_image: bool) -> dict[str, Any]:
    some: dict[str, Any] = {
        "env": [{"name": "HF_HOME", "value": "/own"}, {"name": "A", "value": "b"}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "resources": {"limits": {"memory": "8Gi", "nvidia.com/gpu": "1"}},
        "securityContext": {"runAsUser": draw.choice([0, 1000])},
        "readinessProbe": {"tcpSocket": {"port": 5000}},
        "volumeMounts": [{"name": "own", "mountPath": draw.choice(["/tmp", "/own"])}],
        "command": ["own"],
    }
    if not has_image:
        some["image"] = ""
    fields = {key: value for key, value in some.items() if draw.random() < 0.3}
    return {
        "name": "own",
        **({"image": "registry.example.com/own:1"} if has_image else {}),
        **fields,
    }
