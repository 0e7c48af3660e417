"""kube-scheduler with the shipped configuration, and the extender beside it, over fake nodes.

Rows of the fault cases: E1 to E5, E9, E17, E18, E20, E23, E28, E29 here; E13, E19 and E24 in
`test_real_placement.py`. Elsewhere: E6, E12, E27 in `test_app.py`; E7 and C8 in `test_cluster.py`;
E8, E10, E14 to E16, E21 in `test_answers.py`; E11 in `test_program.py`; E22 and C18 in
`tests/laws/test_marker.py`; E26 in `test_fit.py`. E25 has no test: Kubernetes below 1.32 is not
supported (docs/concepts/placement.md), and its scheduler is not in our binary.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local import api as apis
from deploy.local import claims
from presets import scheduling as names
from tests import programs
from tests.apiserver import until
from tests.scheduler_ext.placing import GPU, SECONDS, Placing, placing

pytestmark = pytest.mark.controlplane


@pytest.fixture
def here(cluster_api: apis.Api, control_plane_kubeconfig: Path) -> Iterator[Placing]:
    """A namespace of its own."""
    with placing(cluster_api, control_plane_kubeconfig) as made:
        yield made


@pytest.fixture
def running(here: Placing) -> Iterator[Placing]:
    """With scheduler and extender."""
    with here.extender(), here.scheduling():
        yield here


@pytest.mark.parametrize("nodes", ["none", "small"])
def test_without_a_node_that_fits_nobody_is_asked_and_the_planner_buys(
    running: Placing, nodes: str
) -> None:
    """E1, E2: the condition alone leads to a claim."""
    programs.install(running.api, "node-provisioner")
    running.type = "Standard_NC6s_v3"
    if nodes == "small":
        running.node(gpus=0)
    path = running.pod("p")
    why = "no nodes available" if nodes == "none" else "node(s) didn't match|Insufficient"
    # The first look may come before the scheduler has heard of the node.
    until(lambda: any(w in running.waits(path, "Unschedulable")["message"] for w in why.split("|")))
    rights = running.directory / "etc" / "node-provisioner.kubeconfig"
    wanted = f"{claims.COLLECTION}?labelSelector=kaito.sh/workload-namespace={running.namespace}"
    with programs.running("node_provisioner", rights):
        (claim,) = until(lambda: running.api.get(wanted)["items"], SECONDS)
    assert "kaito.sh/placement" not in str(claim["spec"])
    assert running.proxy.calls == []


def test_a_pod_waits_for_its_claims_node_and_says_so(running: Placing) -> None:
    """E9, E18: two questions, then silence; the claim alone changes, and the pod is bound.

    The node has the marker already: writing it would wake the pod as well, and before the touch.
    """
    claim = f"ws-{running.namespace}"
    running.claim(claim)
    node = running.node("n1", 1, claim, **{names.MARKER: "1k"})
    path = running.pod("p")
    condition = running.waits(path, f"waiting for the node of NodeClaim {claim}")
    assert condition["reason"] == "Unschedulable"
    assert running.silence("/filter", 3.0) <= 3
    begun = time.monotonic()
    running.initialize(claim, node)
    assert running.bound(path) == node
    assert time.monotonic() - begun < SECONDS  # five minutes without the touch
    noted = running.api.get(path)["metadata"]["annotations"]
    assert noted["kaito.sh/placement-changed"].endswith(node)


def test_a_gpu_that_its_node_reports_late_wakes_the_pod_that_waits_for_it(running: Placing) -> None:
    """E29: kube-scheduler itself refused the pod, so that a touch is none of its events.

    Then the kubelet sets what it does not know to zero, as it does on a machine made anew.
    """
    name = f"ws-{running.namespace}"
    running.claim(name)
    node = running.node(gpus=0, claim=name)
    running.initialize(name, node)
    foreign = running.node("foreign", gpus=0)
    path = running.pod("p")
    running.waits(path, "Insufficient nvidia.com/gpu")
    running.nodes.set_resources(node, {GPU: "1"})
    assert running.bound(path) == node
    running.nodes.set_resources(node, {GPU: "0", names.MARKER: "0"})
    until(lambda: _marker(running, node) == "1k", SECONDS)
    again = running.pod("again")
    running.waits(again, "Insufficient nvidia.com/gpu")
    running.nodes.set_resources(node, {GPU: "2"})
    assert running.bound(again) == node
    assert not _marker(running, foreign)


def test_forty_updates_of_a_node_cost_forty_questions_and_one_event(running: Placing) -> None:
    """E20. The scheduler tries again by the clock, too, so that a few more may fall in between."""
    running.claim(f"ws-{running.namespace}")
    node = running.node(claim=f"ws-{running.namespace}")
    path = running.pod("p")
    running.waits(path, "waiting for the node of NodeClaim")
    running.silence("/filter")
    before = running.proxy.count("/filter")
    for number in range(40):
        label = {"metadata": {"labels": {"n": str(number)}}}
        running.api.patch(f"/api/v1/nodes/{node}", label)
    assert running.silence("/filter") - before <= 40 + 5
    assert "kaito.sh/placement-changed" not in running.api.get(path)["metadata"]["annotations"]


def test_a_sidecar_that_comes_late_is_found(here: Placing) -> None:
    """E3: our pods wait, others do not."""
    here.node(gpus=2)
    with here.scheduling():
        ours, other = here.pod("ours"), here.unmarked("other")
        here.bound(other)
        here.waits(ours, "SchedulerError")
        with here.extender():
            here.bound(ours, 15.0)


def test_a_sidecar_killed_while_it_is_asked_leaves_nothing_behind(here: Placing) -> None:
    """E4."""
    here.node()
    with here.scheduling():
        here.proxy.hang_up = True
        with here.extender() as process:
            path = here.pod("p")
            here.waits(path, "SchedulerError")
            process.kill()
        here.proxy.hang_up = False
        with here.extender():
            here.bound(path, 15.0)


def test_a_slow_sidecar_holds_others_up_no_longer_than_the_time_limit(running: Placing) -> None:
    """E5: 2 s; our own limits lie below it (`test_app.py`)."""
    running.node(gpus=2)
    running.proxy.delay_seconds = 3.0
    ours = running.pod("ours")
    until(lambda: running.proxy.calls, SECONDS)
    begun = time.monotonic()
    running.bound(running.unmarked("other"))
    assert time.monotonic() - begun < 15.0
    running.waits(ours, "SchedulerError")
    running.proxy.delay_seconds = 0.0
    running.bound(ours, 15.0)


def test_whole_nodes_are_refused_where_the_user_looks(here: Placing) -> None:
    """E17."""
    here.node()
    with here.extender(), here.scheduling(extender={"nodeCacheCapable": False}):
        here.waits(here.pod("p"), "set `nodeCacheCapable: true`")


def test_an_extender_that_may_be_ignored_shows_in_a_metric(here: Placing) -> None:
    """E23: what `ignorable: true` costs, and that it is set."""
    here.claim(f"ws-{here.namespace}")
    here.node(claim=f"ws-{here.namespace}")
    here.proxy.delay_seconds = 3.0
    with here.extender(), here.scheduling(extender={"ignorable": True}):
        here.bound(here.pod("p"))
        page = f"http://127.0.0.1:{here.ports[1]}/metrics"

        def counted() -> bool:
            text = httpx.get(page, trust_env=False).text
            return "plainsail_extender_pods_misplaced_total 1" in text

        until(counted, SECONDS)


def test_no_answer_of_ours_binds_a_pod_to_a_node_without_its_gpus(running: Placing) -> None:
    """E28: kube-scheduler counts GPUs; only the marker is ignored."""
    running.node(gpus=1)
    running.waits(running.pod("p", gpus=8), "Insufficient nvidia.com/gpu")


def test_the_shipped_configuration_is_taken_as_it_is(here: Placing) -> None:
    """With leader election, by the rights of the manifest."""
    here.scheduler = "plainsail-scheduler"
    here.node()
    election = {"leaseDuration": "5s", "renewDeadline": "4s", "retryPeriod": "1s"}
    shipped = {"leaderElect": True, "resourceName": "plainsail-scheduler", **election}
    shipped["resourceNamespace"] = "plainsail-system"
    with here.extender(), here.scheduling(leaderElection=shipped):
        here.bound(here.pod("p"))
    log = (here.pair().directory / "scheduler.log").read_text()
    assert "acquired lease" in log
    assert "is forbidden" not in log


def _marker(here: Placing, node: str) -> str:
    """How much of the marker the node offers, as capacity and as allocatable; empty: none."""
    status = here.api.get(f"/api/v1/nodes/{node}")["status"]
    (amount,) = {status[kind].get(names.MARKER, "") for kind in ("capacity", "allocatable")}
    return str(amount)
