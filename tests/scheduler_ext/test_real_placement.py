"""Where kube-scheduler puts pods with the extender beside it: evictions, many nodes, a race.

Rows of the fault cases: E13 and its negative control, E19, E24; the score; reservations.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from deploy.local import api as apis
from tests.apiserver import until
from tests.scheduler_ext.placing import GPU, SECONDS, Placing, placing

pytestmark = pytest.mark.controlplane

MANY = 300


@pytest.fixture
def here(cluster_api: apis.Api, control_plane_kubeconfig: Path) -> Iterator[Placing]:
    """A namespace of its own."""
    with placing(cluster_api, control_plane_kubeconfig) as made:
        yield made


def urgent(here: Placing) -> dict[str, Any]:
    """A priority above that of all others."""
    body = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "urgent"},
        "value": 1000,
    }
    here.api.apply("/apis/scheduling.k8s.io/v1/priorityclasses/urgent", body)
    chosen = {"priorityClassName": "urgent"}
    until(lambda: here.is_taken(**chosen), SECONDS)
    return chosen


@pytest.mark.parametrize("vetoes", [True, False])
def test_nobody_is_evicted_for_a_pod_that_we_would_refuse(here: Placing, *, vetoes: bool) -> None:
    """E13; without `preemptVerb` the victim is lost for nothing."""
    claim = f"ws-{here.namespace}"
    extender = {} if vetoes else {"preemptVerb": ""}
    with here.extender(), here.scheduling(extender=extender):
        node = here.node()
        low = here.pod("low")
        assert here.bound(low) == node
        here.claim(claim)
        here.initialize(claim, node)
        until(lambda: here.api.get(low)["status"]["phase"] == "Running", SECONDS)
        not_ready = {"type": "Initialized", "status": "False", "reason": "X", "message": ""}
        not_ready["lastTransitionTime"] = "2026-01-01T00:00:00Z"
        path = f"/apis/karpenter.sh/v1/nodeclaims/{claim}/status"
        here.api.patch(path, {"status": {"conditions": [not_ready]}})
        until(lambda: _refused(here, node), SECONDS)
        high = here.pod("high", **urgent(here))
        here.waits(high, "Insufficient nvidia.com/gpu")
        if vetoes:
            assert here.silence("/preempt") >= 1
        else:
            until(lambda: "low" not in _names(here), SECONDS)
            here.waits(high, f"waiting for the node of NodeClaim {claim}")
        assert ("low" in _names(here)) is vetoes
        assert not here.api.get(high)["spec"].get("nodeName")


def test_an_eviction_that_helps_is_let_through(here: Placing) -> None:
    """E13, E21: one node alone is asked about afterwards, the nominated one."""
    with here.extender(), here.scheduling():
        node = here.node()
        here.bound(here.pod("low"))
        assert here.bound(here.pod("high", **urgent(here))) == node
        assert _names(here) == {"high"}
        assert here.proxy.count("/preempt") == 1


def test_the_only_node_that_will_do_is_found_among_hundreds(here: Placing) -> None:
    """E19."""
    with _closed_nodes(here, MANY - 1) as claim, here.extender(), here.scheduling():
        path = here.pod("p")
        here.waits(path, f"{MANY - 1} waiting for the node of NodeClaim {claim}")
        _bare_node(here, "last", "")
        assert here.bound(path) == f"{here.namespace}-last"
        assert _asked_about(here) == MANY


def test_by_default_the_scheduler_does_not_look_at_every_node(here: Placing) -> None:
    """E19, the negative control: of 300 nodes it takes the first 48 %, and asks about those."""
    changes = {"percentageOfNodesToScore": 0}
    with _closed_nodes(here, MANY) as claim, here.extender(), here.scheduling(**changes):
        here.waits(here.pod("p"), f"waiting for the node of NodeClaim {claim}")
        assert _asked_about(here) == 144


def test_two_schedulers_do_not_share_the_nodes_that_are_tainted(here: Placing) -> None:
    """E24: the default scheduler's pods stay off, and no node is given away twice."""
    taint = {"key": "sku", "value": "gpu", "effect": "NoSchedule"}
    kind = {"node.kubernetes.io/instance-type": here.type}
    for number in range(5):
        here.nodes.add(f"{here.namespace}-{number}", {GPU: "2"}, kind, (taint,))
    tolerates: dict[str, Any] = {"tolerations": [{"key": "sku", "operator": "Exists"}]}
    asked = {"containers": [{"name": "c", "image": "x", "resources": {"limits": {GPU: "1"}}}]}
    with here.extender(), here.scheduling():
        for number in range(15):
            here.pod(f"ours-{number}", **tolerates)
            here.unmarked(f"other-{number}", schedulerName="default-scheduler", **asked)
        until(lambda: sum(_held(here).values()) == 10, SECONDS)
        assert set(_held(here).values()) == {2}
        bound = {p["metadata"]["name"] for p in here.listed() if p["spec"].get("nodeName")}
        assert all(name.startswith("ours-") for name in bound)


def test_the_node_that_holds_the_model_is_taken(here: Placing) -> None:
    """The score outweighs everything that kube-scheduler itself prefers."""
    empty, holds = here.node("a", gpus=1), here.node("b", gpus=4)
    image = {"names": ["docker.io/library/x:latest"], "sizeBytes": 10 * 2**30}
    here.api.patch(f"/api/v1/nodes/{holds}/status", {"status": {"images": [image]}})
    with here.extender(), here.scheduling():
        assert here.bound(here.pod("p")) == holds != empty


def test_the_tightest_fit_is_taken(here: Placing) -> None:
    """Large gaps stay for large pods."""
    here.node("a", gpus=8)
    tight = here.node("b", gpus=1)
    with here.extender(), here.scheduling():
        assert here.bound(here.pod("p")) == tight
        big = here.pod("big", gpus=8)
        assert here.bound(big).endswith("-a")


def test_a_bought_node_goes_to_the_workload_that_it_was_bought_for(here: Placing) -> None:
    """Two pods wait, and the younger one's node comes: the older one leaves it to it."""
    claim = f"ws-{here.namespace}"
    here.claim(claim, "Pod/mine")
    with here.extender(), here.scheduling():
        node = here.node(claim=claim)
        other = here.pod("other")
        mine = here.pod("mine")
        for path in (other, mine):
            here.waits(path, "waiting for the node of NodeClaim")
        here.initialize(claim, node)
        assert here.bound(mine) == node
        assert not here.api.get(other)["spec"].get("nodeName")


@contextlib.contextmanager
def _closed_nodes(here: Placing, count: int) -> Iterator[str]:
    """So many nodes of a claim that is not initialized; its name. With the block they go."""
    claim = f"ws-{here.namespace}"
    here.claim(claim)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: _bare_node(here, f"{i:03}", claim), range(count)))
        try:
            yield claim
        finally:
            names = [node["metadata"]["name"] for node in here.api.get("/api/v1/nodes")["items"]]
            ours = [name for name in names if name.startswith(f"{here.namespace}-")]
            list(pool.map(here.api.delete, [f"/api/v1/nodes/{name}" for name in ours]))


def _asked_about(here: Placing) -> int:
    """Nodes in the largest question."""
    bodies = [orjson.loads(body) for path, body in here.proxy.calls if path == "/filter"]
    return max(len(body["NodeNames"]) for body in bodies)


def _bare_node(here: Placing, name: str, claim: str) -> None:
    """A Ready node without a heart beat: the test is over before anybody misses it."""
    labels = {"node.kubernetes.io/instance-type": here.type}
    labels |= {"kaito.sh/claim": claim} if claim else {}
    amounts = {"cpu": "8", "memory": "32Gi", "pods": "110", GPU: "1"}
    ready = {"type": "Ready", "status": "True", "reason": "Fake", "message": ""}
    body = {
        "metadata": {"name": f"{here.namespace}-{name}", "labels": labels},
        "status": {"capacity": amounts, "allocatable": amounts, "conditions": [ready]},
    }
    here.api.create("/api/v1/nodes", body)


def _refused(here: Placing, node: str) -> bool:
    """Whether the extender keeps our pods away from the node."""
    (pod, *_) = here.listed()
    body = orjson.dumps({"Pod": pod, "Nodes": None, "NodeNames": [node]})
    url = f"http://127.0.0.1:{here.ports[1]}/filter"
    answer = httpx.post(url, content=body, trust_env=False).json()
    return node in answer["FailedAndUnresolvableNodes"]


def _names(here: Placing) -> set[str]:
    return {pod["metadata"]["name"] for pod in here.listed()}


def _held(here: Placing) -> Counter[str]:
    bound = (pod["spec"].get("nodeName") for pod in here.listed())
    return Counter(node for node in bound if node)
