"""kube-scheduler, kubelets and node life cycle, as far as a planner can tell them apart."""

from functools import partial

from kubeapi import api, objects
from tests import api_store
from tests.simulation import world

UNREGISTERED = "karpenter.sh/unregistered"
_EVICTION_SECONDS = 300.0
"""Pods tolerate a node that is not Ready for so long (the default tolerationSeconds)."""
_ORPHANED_SECONDS = 42.0
"""Until pods of a Node that was deleted are gone: the pod collector waits 40 s."""
_GPU = "nvidia.com/gpu"


class Scheduler:
    """Binds pods where there is room, and says so where there is none."""

    def __init__(self, of: world.World) -> None:
        self._world = of
        self._pass = world.Kicked(of, self._schedule, (0.02, 0.2))
        self.extender_down = False
        """Pods that some node could take get an error instead, as from an extender that is away."""
        of.memory.listeners.append(self._heard)

    def extender_back(self) -> None:
        """The extender answers again: pods that met an error are tried again."""
        self.extender_down = False
        self._pass.kick()

    def _heard(self, change: api_store.Change) -> None:
        if change.plural == "nodes" or (change.plural == "pods" and not _settled(change.after)):
            self._pass.kick()

    def _schedule(self) -> None:
        pods = self._world.memory.all("pods")
        waiting = [pod for pod in pods if is_waiting(pod) and not is_gated(pod)]
        if not waiting:
            return
        free = free_gpus(self._world)
        for pod in sorted(waiting, key=_age):
            self._place(pod, free)

    def _place(self, pod: api.Object, free: dict[str, int]) -> None:
        wanted = gpus(pod)
        nodes = self._world.memory.all("nodes")
        fitting = [
            node["metadata"]["name"]
            for node in nodes
            if free.get(node["metadata"]["name"], 0) >= wanted and _lets_in(node, pod)
        ]
        if not fitting:
            said = ("Unschedulable", "0 nodes are available: Insufficient nvidia.com/gpu")
        elif self.extender_down:
            said = ("SchedulerError", "extender: connection refused")
        else:
            free[self._bind(pod, self._world.random.choice(fitting))] -= wanted
            return
        if world.condition(pod, "PodScheduled").get("reason") != said[0]:
            fresh = self._world.condition("PodScheduled", "False", *said)
            self._world.memory.put("pods", world.with_conditions(pod, fresh))

    def _bind(self, pod: api.Object, node: str) -> str:
        bound = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        fresh = self._world.condition("PodScheduled", "True")
        self._world.memory.put("pods", world.with_conditions(bound, fresh))
        return node


class Kubelets:
    """Runs bound pods, ends deleted ones, and clears nodes that are away."""

    def __init__(self, of: world.World) -> None:
        self._world = of
        of.memory.listeners.append(self._heard)

    def _heard(self, change: api_store.Change) -> None:
        if change.plural == "pods" and change.after is not None:
            self._see_pod(change.before, change.after)
        elif change.plural == "nodes":
            self._see_node(change)

    def _see_pod(self, before: api.Object | None, pod: api.Object) -> None:
        node = pod["spec"].get("nodeName")
        uid, key = pod["metadata"]["uid"], api_store.key_of(pod["metadata"])
        was_bound = before is not None and before["spec"].get("nodeName")
        was_ending = before is not None and "deletionTimestamp" in before["metadata"]
        if node and not was_bound:
            self._world.after(self._world.between(1, 20), partial(self._run, key, uid))
        if "deletionTimestamp" in pod["metadata"] and not was_ending:
            self._world.after(self._world.between(1, 30), partial(self._end, key, uid))

    def _see_node(self, change: api_store.Change) -> None:
        if change.after is None:
            assert change.before is not None
            name = change.before["metadata"]["name"]
            self._world.after(_ORPHANED_SECONDS, partial(self._clear_orphans, name))
        elif not is_ready(change.after) and change.before and is_ready(change.before):
            name = change.after["metadata"]["name"]
            since = world.condition(change.after, "Ready")["lastTransitionTime"]
            self._world.after(_EVICTION_SECONDS, partial(self._evict, name, since))

    def _run(self, key: str, uid: str) -> None:
        pod = self._world.memory.get("pods", key)
        if pod and pod["metadata"]["uid"] == uid and pod["status"]["phase"] == "Pending":
            if not self._is_up(pod["spec"]["nodeName"]):
                self._world.after(10, partial(self._run, key, uid))
                return
            fresh = self._world.condition("Ready", "True")
            self._world.memory.put("pods", world.with_conditions(pod, fresh, phase="Running"))

    def _end(self, key: str, uid: str) -> None:
        """A kubelet that is away confirms nothing: the pod stays until its Node is gone."""
        pod = self._world.memory.get("pods", key)
        if pod and pod["metadata"]["uid"] == uid:
            if pod["spec"].get("nodeName") and not self._is_up(pod["spec"]["nodeName"]):
                self._world.after(10, partial(self._end, key, uid))
                return
            self._world.memory.remove("pods", key)

    def _is_up(self, name: str) -> bool:
        node = self._world.memory.get("nodes", name)
        return node is not None and is_ready(node)

    def _evict(self, name: str, since: str) -> None:
        node = self._world.memory.get("nodes", name)
        if node is None or is_ready(node):
            return
        if world.condition(node, "Ready")["lastTransitionTime"] != since:
            return  # it was back in between
        for pod in pods_on(self._world, name):
            delete_pod(self._world, pod)

    def _clear_orphans(self, name: str) -> None:
        if self._world.memory.get("nodes", name) is None:
            for pod in pods_on(self._world, name):
                self._world.memory.remove("pods", api_store.key_of(pod["metadata"]))


def delete_pod(of: world.World, pod: api.Object) -> None:
    """What a controller's delete does: at once where nothing runs, else gracefully."""
    key = api_store.key_of(pod["metadata"])
    if not pod["spec"].get("nodeName"):
        of.memory.remove("pods", key)
    elif "deletionTimestamp" not in pod["metadata"]:
        stamp = {"deletionTimestamp": of.timeline.stamp}
        of.memory.put("pods", {**pod, "metadata": {**pod["metadata"], **stamp}})


def pods_on(of: world.World, node: str) -> list[api.Object]:
    """Pods bound to a node, those that end included."""
    return [pod for pod in of.memory.all("pods") if pod["spec"].get("nodeName") == node]


def gpus(pod: api.Object) -> int:
    """GPUs that the pod asks for."""
    return dict(objects.pod_devices(pod["spec"])).get(_GPU, 0)


def free_gpus(of: world.World) -> dict[str, int]:
    """GPUs that no pod holds, by node."""
    left = {
        node["metadata"]["name"]: int(node["status"]["allocatable"].get(_GPU, "0"))
        for node in of.memory.all("nodes")
    }
    for pod in of.memory.all("pods"):
        node = pod["spec"].get("nodeName")
        if node in left and not is_finished(pod):
            left[node] -= gpus(pod)
    return left


def is_ready(node: api.Object) -> bool:
    """Whether the node is Ready."""
    return world.condition(node, "Ready").get("status") == "True"


def is_finished(pod: api.Object) -> bool:
    """Whether the pod has run to its end."""
    return pod["status"]["phase"] in {"Succeeded", "Failed"}


def is_waiting(pod: api.Object) -> bool:
    """Whether it has yet to be placed."""
    bound = pod["spec"].get("nodeName")
    return not (bound or "deletionTimestamp" in pod["metadata"] or is_finished(pod))


def is_gated(pod: api.Object) -> bool:
    """Whether the scheduler is not to look at it."""
    return bool(pod["spec"].get("schedulingGates"))


def _lets_in(node: api.Object, pod: api.Object) -> bool:
    tolerated = {toleration["key"] for toleration in pod["spec"].get("tolerations", ())}
    taints = {taint["key"] for taint in node["spec"].get("taints", ())}
    if not is_ready(node) or node["spec"].get("unschedulable") or taints - tolerated:
        return False
    labels = node["metadata"]["labels"]
    return all(labels.get(rule["key"]) in rule["values"] for rule in _required(pod))


def _required(pod: api.Object) -> list[api.Object]:
    """Rules of the required node affinity; all are of one term and use the operator In."""
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    return [
        rule for term in terms.get("nodeSelectorTerms", ()) for rule in term["matchExpressions"]
    ]


def _settled(pod: api.Object | None) -> bool:
    return pod is not None and bool(pod["spec"].get("nodeName")) and not is_finished(pod)


def _age(pod: api.Object) -> tuple[str, str]:
    return pod["metadata"]["creationTimestamp"], api_store.key_of(pod["metadata"])
