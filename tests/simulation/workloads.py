"""Workloads and their controllers: Deployments that roll, Jobs that end, pods of strangers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from kubeapi import api
from presets import annotations, provision_spec
from tests import api_store
from tests.simulation import claims, scheduling, world

_SURGE = 1
"""Pods above its replicas that a rollout may have: 25 % of up to four."""


@dataclass
class Workload:
    """What a user applied."""

    namespace: str
    name: str
    spec: provision_spec.ProvisionSpec
    replicas: int
    managed: bool = True
    """Whether it carries our label; else it is a stranger that asks for GPUs."""
    gated: bool = False
    """Whether its pods wait behind our scheduling gate; those of a Job all for each other."""
    runs_seconds: float | None = None
    """A Job's pods end after so long."""
    revision: int = 0
    done: int = 0
    pass_: world.Kicked | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """Deployment or Job."""
        return "Deployment" if self.runs_seconds is None else "Job"


class Workloads:
    """Keeps the pods of every workload as its controllers would."""

    def __init__(self, of: world.World) -> None:
        self._world = of
        self._serial = 0
        self.all: dict[str, Workload] = {}
        """By namespace/name."""
        of.memory.listeners.append(self._heard)

    def create(self, workload: Workload) -> None:
        """Apply it, unless there is one of that name or its namespace ends."""
        key = f"{workload.namespace}/{workload.name}"
        if key in self.all or workload.namespace in self._world.memory.terminating:
            return
        workload.pass_ = world.Kicked(self._world, partial(self._reconcile, key), (0.01, 0.1))
        self.all[key] = workload
        self._apply(workload)
        self._kick(key)

    def scale(self, key: str, replicas: int) -> None:
        """Change the number of replicas."""
        if workload := self.all.get(key):
            workload.replicas = replicas
            self._apply(workload)
            self._kick(key)

    def roll_out(self, key: str) -> None:
        """Change the pod template."""
        if (workload := self.all.get(key)) and workload.kind == "Deployment":
            workload.revision += 1
            self._kick(key)

    def delete(self, key: str) -> None:
        """Delete it, and with it its pods."""
        if workload := self.all.pop(key, None):
            self._world.memory.remove(f"{workload.kind.lower()}s", key)
            for pod in self.pods(workload):
                scheduling.delete_pod(self._world, pod)

    def pods(self, workload: Workload) -> list[api.Object]:
        """Its pods, ended ones and those that end included."""
        found = (pod for pod in self._world.memory.all("pods") if _owner(pod) == workload.name)
        return [pod for pod in found if pod["metadata"]["namespace"] == workload.namespace]

    def moving(self) -> Iterator[str]:
        """Those that are not yet, or not any more, as they were asked to be."""
        for key, workload in self.all.items():
            pods = [pod for pod in self.pods(workload) if not scheduling.is_finished(pod)]
            wanted = 0 if workload.kind == "Job" else workload.replicas
            current = [pod for pod in pods if _revision(pod) == str(workload.revision)]
            if not len(pods) == len(current) == wanted:
                yield f"{key} has {len(pods)} pods, {len(current)} current, {wanted} wanted"

    def _heard(self, change: api_store.Change) -> None:
        pod = change.after or change.before
        if change.plural == "pods" and pod is not None:
            self._kick(f"{pod['metadata']['namespace']}/{_owner(pod)}")
            if change.after and change.after["status"]["phase"] == "Running":
                self._finish_later(change.after)

    def _apply(self, workload: Workload) -> None:
        self._world.memory.put(f"{workload.kind.lower()}s", _manifest(workload))

    def _kick(self, key: str) -> None:
        if (workload := self.all.get(key)) and workload.pass_:
            workload.pass_.kick()

    def _finish_later(self, pod: api.Object) -> None:
        key = f"{pod['metadata']['namespace']}/{_owner(pod)}"
        workload = self.all.get(key)
        if workload and workload.runs_seconds is not None:
            pod_key, uid = api_store.key_of(pod["metadata"]), pod["metadata"]["uid"]
            self._world.after(workload.runs_seconds, partial(self._finish, workload, pod_key, uid))

    def _finish(self, workload: Workload, key: str, uid: str) -> None:
        pod = self._world.memory.get("pods", key)
        if pod and pod["metadata"]["uid"] == uid and pod["status"]["phase"] == "Running":
            workload.done += 1
            if self.all.get(f"{workload.namespace}/{workload.name}") is workload:
                self._apply(workload)
            self._world.memory.put("pods", world.with_conditions(pod, phase="Succeeded"))

    def _reconcile(self, key: str) -> None:
        workload = self.all.get(key)
        if workload is None:
            return
        alive = [
            pod
            for pod in self.pods(workload)
            if "deletionTimestamp" not in pod["metadata"] and not scheduling.is_finished(pod)
        ]
        current = [pod for pod in alive if _revision(pod) == str(workload.revision)]
        old = [pod for pod in alive if _revision(pod) != str(workload.revision)]
        wanted = max(workload.replicas - workload.done, 0)
        for pod in _least_useful(current)[: max(len(current) - wanted, 0)]:
            scheduling.delete_pod(self._world, pod)
        running = sum(pod["status"]["phase"] == "Running" for pod in current)
        for pod in _least_useful(old)[: max(len(old) - max(wanted - running, 0), 0)]:
            scheduling.delete_pod(self._world, pod)
            old.remove(pod)
        surge = _SURGE if old else 0
        for _ in range(min(wanted - len(current), wanted + surge - len(current) - len(old))):
            self._add_pod(workload)

    def _add_pod(self, workload: Workload) -> None:
        if workload.namespace not in self._world.memory.terminating:
            self._serial += 1
            pod = _pod(workload, self._serial, self._world.timeline.stamp)
            self._world.memory.put("pods", pod)


def is_managed(pod: api.Object) -> bool:
    """Whether the pod is of a workload that carries our label."""
    return bool(pod["metadata"]["labels"].get(annotations.MANAGED) == "true")


def _manifest(workload: Workload) -> api.Object:
    """The workload as its user applied it, as far as our programs read it."""
    meta = {
        "namespace": workload.namespace,
        "name": workload.name,
        "labels": {annotations.PRESET: "tiny-chat"} if workload.managed else {},
    }
    spec: api.Object = {"selector": {"matchLabels": {"app": workload.name}}}
    if workload.kind == "Job":
        spec |= {"parallelism": workload.replicas, "completions": workload.replicas}
    else:
        spec["replicas"] = workload.replicas
    if workload.gated:
        spec["template"] = {"spec": {"schedulingGates": [{"name": annotations.GATE}]}}
    return {"metadata": meta, "spec": spec, "status": {"succeeded": workload.done}}


def _pod(workload: Workload, serial: int, created: str) -> api.Object:
    """A pod as the webhook and the ReplicaSet controller make it, as far as anybody here reads."""
    hash_, spec = f"r{workload.revision}", workload.spec
    job = workload.kind == "Job"
    owner = ("Job", workload.name) if job else ("ReplicaSet", f"{workload.name}-{hash_}")
    labels = {"app": workload.name, "pod-template-hash": hash_}
    body: api.Object = {
        "containers": [{"resources": {"limits": {spec.gpu_resource: str(spec.gpus)}}}],
        "tolerations": [{"key": "sku", "operator": "Equal", "value": "gpu"}],
    }
    if workload.managed:
        rule = {"key": claims.INSTANCE_TYPE, "operator": "In", "values": list(spec.instance_types)}
        term = {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": term}
        body["affinity"] = {"nodeAffinity": required}
        labels[annotations.MANAGED] = "true"
    if workload.gated:
        body["schedulingGates"] = [{"name": annotations.GATE}]
    return {
        "metadata": {
            "name": f"{workload.name}-{hash_}-{serial}",
            "namespace": workload.namespace,
            "creationTimestamp": created,
            "labels": labels,
            "annotations": {annotations.PROVISION_SPEC: spec.to_json()} if workload.managed else {},
            "ownerReferences": [{"kind": owner[0], "name": owner[1], "controller": True}],
        },
        "spec": body,
        "status": {"phase": "Pending", "conditions": []},
    }


def _least_useful(pods: list[api.Object]) -> list[api.Object]:
    """In the order in which a ReplicaSet deletes: waiting ones first, then the youngest."""
    return sorted(pods, key=lambda pod: (bool(pod["spec"].get("nodeName")), pod["metadata"]["uid"]))


def _owner(pod: api.Object) -> str:
    return str(pod["metadata"]["labels"].get("app", ""))


def _revision(pod: api.Object) -> str:
    return str(pod["metadata"]["labels"]["pod-template-hash"]).removeprefix("r")
