"""What users and controllers do to a stored workload: how often we are asked, and what comes of it.

Each verb once x the version of the webhook that stored the workload, or a later one whose presets
have another revision.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import api as apis
from presets import annotations
from tests.apiserver import until
from tests.webhook.cluster import IDLE, KINDS, Cluster, Object, of_kind, template, workload

pytestmark = pytest.mark.controlplane

PHI = IDLE.replace("tiny-chat", "phi-3-mini-4k-instruct")
REVISION = "0a67737cc96d2554230f90338b163bc6380a2a85"
"""Of that preset's weights; a later version of it has another."""
LATER = "f" * 40
PRESETS = Path(__file__).parents[2] / "presets" / "models"

AUTOSCALER = "--as=system:serviceaccount:kube-system:horizontal-pod-autoscaler"
"""Who the HorizontalPodAutoscaler is, with the rights that Kubernetes itself gives it."""


def calls(cluster: Cluster, action: Callable[[], object]) -> int:
    """How often we are asked while `action` lasts."""
    before = cluster.webhook.calls()
    action()
    return cluster.webhook.calls() - before


def pinned(found: Object) -> str:
    """The revision that a workload's server is told."""
    args = template(found)["spec"]["containers"][0]["args"]
    (revision,) = (arg.partition("=")[2] for arg in args if arg.startswith("--revision="))
    return str(revision)


@contextlib.contextmanager
def upgraded(cluster: Cluster, directory: Path) -> Iterator[None]:
    """A later version of the webhook, whose preset has another revision."""
    text = (PRESETS / "phi.yaml").read_text(encoding="utf-8")
    assert REVISION in text
    (directory / "phi.yaml").write_text(text.replace(REVISION, LATER), encoding="utf-8")
    with cluster.webhook.restarted(f"--presets={directory}"):
        yield


def test_each_verb_asks_as_often_as_it_must_and_changes_nothing(cluster: Cluster) -> None:
    """W7: create, re-apply, diff, dry run, migration to server-side apply, the same again."""
    create = calls(cluster, lambda: cluster.apply(IDLE))
    first = cluster.settled("deployment/chat")
    assert create == 1
    assert calls(cluster, lambda: cluster.apply(IDLE)) == 0
    assert cluster.get("deployment/chat") == first
    assert calls(cluster, lambda: cluster.kubectl("diff", "-f", "-", stdin=IDLE)) <= 1
    assert calls(cluster, lambda: cluster.apply(IDLE, "--dry-run=server")) <= 1
    assert cluster.get("deployment/chat") == first
    # kubectl moves the ownership of the fields first, by patches and dry runs of its own.
    migration = calls(cluster, lambda: cluster.apply(IDLE, "--server-side"))
    assert 1 <= migration <= 8, "four or five were counted"
    moved = cluster.get("deployment/chat")
    assert template(moved) == template(first)
    assert cluster.kubectl("diff", "--server-side", "-f", "-", stdin=IDLE) == ""
    assert calls(cluster, lambda: cluster.apply(IDLE, "--server-side")) == 1
    assert cluster.get("deployment/chat") == moved


def test_a_write_that_meets_another_is_asked_about_again_and_comes_out_the_same(
    cluster: Cluster,
) -> None:
    """W7: after a conflict the API server runs admission anew."""
    cluster.apply(IDLE)
    first = cluster.get("deployment/chat")
    path, writers = cluster.path("deployment/chat"), range(8)

    def annotate(number: int) -> None:
        # Beyond five conflicts the API server gives up and the client has to come again.
        with contextlib.suppress(apis.Conflict):
            cluster.api.patch(path, {"metadata": {"annotations": {f"example.com/{number}": "x"}}})

    def all_at_once() -> None:
        threads = [threading.Thread(target=annotate, args=(number,)) for number in writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert calls(cluster, all_at_once) > len(writers)
    after = cluster.get("deployment/chat")
    assert after["spec"] == first["spec"]
    held = after["metadata"]["annotations"]
    assert held[annotations.EXPANSION] == first["metadata"]["annotations"][annotations.EXPANSION]


def test_replace_keeps_the_revision_that_was_stored(cluster: Cluster, tmp_path: Path) -> None:
    """W8: the manifest has neither containers nor our annotation, and the presets have moved on."""
    manifests = {name: of_kind(kind, PHI) for kind, name in KINDS.items() if kind != "Job"}
    for manifest in manifests.values():
        cluster.apply(manifest)
    first = {name: cluster.get(f"{name}/chat") for name in manifests}
    assert {pinned(found) for found in first.values()} == {REVISION}
    with upgraded(cluster, tmp_path):
        for manifest in manifests.values():
            cluster.kubectl("replace", "-f", "-", stdin=manifest)
    for name, found in first.items():
        after = cluster.get(f"{name}/chat")
        assert after["spec"] == found["spec"]
        assert annotations.EXPANSION in after["metadata"]["annotations"]


def test_an_upgrade_of_the_presets_rolls_no_pods(cluster: Cluster, tmp_path: Path) -> None:
    """W9: annotate, scale, apply, restart, undo; a new workload gets the new revision."""
    manifests = {f"{name}/chat": of_kind(kind, PHI) for kind, name in KINDS.items()}
    for manifest in manifests.values():
        cluster.apply(manifest)
    first = {name: template(cluster.get(name)) for name in manifests}
    _until_revision(cluster, "1")
    with upgraded(cluster, tmp_path):
        cluster.apply(PHI.replace("name: chat", "name: fresh"))
        assert pinned(cluster.get("deployment/fresh")) == LATER
        cluster.kubectl("scale", "deployment/chat", "statefulset/chat", "--replicas=0")
        for name, manifest in manifests.items():
            cluster.kubectl("annotate", name, "example.com/touched=yes")
            cluster.apply(manifest)
            cluster.apply(manifest, "--server-side", "--force-conflicts")
            assert template(cluster.get(name)) == first[name]
        cluster.kubectl("rollout", "restart", "deployment/chat")
        assert pinned(cluster.get("deployment/chat")) == REVISION
        _until_revision(cluster, "2")
        cluster.kubectl("rollout", "undo", "deployment/chat")
        assert template(cluster.get("deployment/chat")) == first["deployment/chat"]


def _until_revision(cluster: Cluster, revision: str) -> None:
    """Until the deployment controller has seen the template."""
    key = "deployment.kubernetes.io/revision"

    def seen() -> bool:
        held = cluster.get("deployment/chat")["metadata"]["annotations"]
        return bool(held.get(key) == revision)

    until(seen, 20.0)


def test_restart_and_undo_ask_once_each_and_keep_what_was_added(cluster: Cluster) -> None:
    """W23."""
    cluster.apply(IDLE)
    first = template(cluster.get("deployment/chat"))
    _until_revision(cluster, "1")
    assert calls(cluster, lambda: cluster.kubectl("rollout", "restart", "deployment/chat")) == 1
    restarted = template(cluster.get("deployment/chat"))
    assert restarted["spec"] == first["spec"]
    stamp = restarted["metadata"]["annotations"].pop("kubectl.kubernetes.io/restartedAt")
    assert stamp
    assert restarted["metadata"] == first["metadata"]
    _until_revision(cluster, "2")
    assert calls(cluster, lambda: cluster.kubectl("rollout", "undo", "deployment/chat")) == 1
    assert template(cluster.get("deployment/chat")) == first


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_scaling_and_status_ask_nothing(cluster: Cluster, kind: str) -> None:
    """W19: the user's scale, the autoscaler's, status as its controller and as anybody writes."""
    name = f"{KINDS[kind]}/chat"
    cluster.create(workload(kind))
    cluster.settled(name)

    def scale_and_report() -> None:
        cluster.kubectl("scale", name, "--replicas=1")
        cluster.settled(name)
        path = f"{cluster.path(name)}/scale"
        scale = cluster.api.get(path)
        scale["spec"]["replicas"] = 0
        del scale["metadata"]["resourceVersion"]  # its own controller may write in between
        cluster.kubectl("replace", f"--raw={path}", "-f", "-", AUTOSCALER, stdin=json.dumps(scale))
        cluster.settled(name)
        ready = {"type": "ModelReady", "status": "True"}
        patch = json.dumps({"status": {"conditions": [ready]}})
        cluster.kubectl("patch", name, "--subresource=status", "--type=merge", f"--patch={patch}")

    assert calls(cluster, scale_and_report) == 0
