"""The admission policies beside the webhook: what went round it is refused, all else passes.

Pods and workloads x with our labels or without x with what the webhook writes or without.
"""

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local import api as apis
from deploy.local import manifests
from presets import annotations, scheduling
from tests.apiserver import until
from tests.webhook.cluster import KINDS, Cluster, Object, template, unlabelled, workload

pytestmark = pytest.mark.controlplane


def pod(labels: Object, held: Object | None = None) -> Object:
    meta: Object = {"name": "direct", "labels": labels, "annotations": held or {}}
    spec = {"containers": [{"name": "own", "image": "own:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


@pytest.fixture(scope="module")
def here(shared: Cluster) -> Iterator[Cluster]:
    """A namespace that the policies hold in and no webhook looks at; all others are left out."""
    here = shared.elsewhere()
    made = list(narrowed(here.namespace))
    try:
        for document in made:
            here.api.apply(apis.path_of(document), document)
        until(lambda: here.refusal(pod({annotations.PRESET: "tiny-chat"})), 20.0)
        until(lambda: here.refusal(workload(image="own:1")), 20.0)
        yield here
    finally:
        for document in made:
            here.api.delete(apis.path_of(document))
        here.remove()


def narrowed(namespace: str) -> Iterator[Object]:
    """The shipped policies under other names, for one namespace."""
    only = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
    for document in manifests.documents("admission-policy"):
        document["metadata"]["name"] += f"-{namespace}"
        if "policyName" in document["spec"]:
            document["spec"]["policyName"] += f"-{namespace}"
        else:
            selector = document["spec"]["matchConstraints"]["namespaceSelector"]
            selector["matchExpressions"].append(only)
        yield document


SPEC = {annotations.PROVISION_SPEC: "{}"}
OURS = {annotations.MANAGED: "true"}
PRESET = {annotations.PRESET: "tiny-chat"}


@pytest.mark.parametrize(
    ("labels", "held", "why"),
    [
        (PRESET, {}, "was not expanded: label a Deployment, StatefulSet or Job"),
        (PRESET, SPEC, "was not expanded: label a Deployment, StatefulSet or Job"),
        (OURS, {}, "without the annotation kaito.sh/provision-spec"),
        (OURS, {annotations.PROVISION_SPEC: ""}, "without the annotation kaito.sh/provision-spec"),
        ({**PRESET, **OURS}, {}, "without the annotation kaito.sh/provision-spec"),
    ],
)
def test_a_pod_labelled_as_ours_that_the_webhook_did_not_make_is_refused(
    here: Cluster, labels: dict[str, str], held: dict[str, str], why: str
) -> None:
    """W22."""
    said = here.refusal(pod(labels, held))
    assert said.startswith("422 ")
    assert why in said


@pytest.mark.parametrize(
    ("scheduler", "marked", "why"),
    [
        (scheduling.SCHEDULER, True, ""),
        (scheduling.SCHEDULER, False, "does not ask for kaito.sh/placement"),
        ("own", True, ""),
        ("own", False, ""),
        ("", True, "names no scheduler that ignores it"),
        ("", False, ""),
    ],
)
def test_the_marker_and_our_scheduler_go_together_or_not_at_all(
    here: Cluster, scheduler: str, *, marked: bool, why: str
) -> None:
    """W22, E22: one alone waits for ever, or is placed unguarded."""
    body = pod({**OURS}, SPEC)
    if scheduler:
        body["spec"]["schedulerName"] = scheduler
    if marked:
        limits = {scheduling.MARKER: "1"}
        body["spec"]["containers"][0]["resources"] = {"limits": limits}
    said = here.refusal(body)
    assert why in said
    assert bool(said) == bool(why)


@pytest.mark.parametrize("kind", KINDS)
def test_a_workload_that_the_webhook_did_not_see_is_refused(here: Cluster, kind: str) -> None:
    """W2, W22: whole, so that nothing else stands against it; with kubectl's own words."""
    assert "the webhook was not asked" in here.refusal(workload(kind, image="own:1"))
    said = here.apply(workload(kind, image="own:1"), ok=(1,))
    assert "was not expanded: the webhook was not asked; apply it again when it is up" in said


def test_the_expressions_have_the_types_of_what_they_look_at(here: Cluster) -> None:
    """W22: the API server's own check, which only warns, in the policy's status."""
    for document in narrowed(here.namespace):
        if "policyName" not in document["spec"]:
            status = until(functools.partial(_type_checked, here, apis.path_of(document)), 20.0)
            assert status["typeChecking"] == {}


def _type_checked(here: Cluster, path: str) -> Object | None:
    """The policy's status, once it holds the outcome."""
    status: Object = here.api.get(path).get("status", {})
    return status if "typeChecking" in status else None


def test_what_does_not_carry_our_labels_passes(here: Cluster) -> None:
    """W22: also a pod without any label, where an expression could stumble."""
    bare = pod({})
    del bare["metadata"]["labels"], bare["metadata"]["annotations"]
    passed = [pod({"app": "x"}), bare, *(unlabelled(kind) for kind in KINDS)]
    assert [here.refusal(body) for body in passed] == [""] * len(passed)


def test_what_the_webhook_expanded_passes_down_to_its_pods(shared: Cluster, here: Cluster) -> None:
    """W22: each kind, and a pod made from the template."""
    for kind in KINDS:
        expanded = _fresh(shared.try_out(workload(kind)))
        assert here.refusal(expanded) == ""
        made = template(expanded)
        named: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "spec": made["spec"]}
        named["metadata"] = {**made["metadata"], "name": "made"}
        assert here.refusal(named) == ""


def _fresh(stored: Object) -> Object:
    """The object as a manifest, without what the API server wrote for another namespace."""
    kept = {key: stored["metadata"][key] for key in ("name", "labels", "annotations")}
    stored["metadata"] = kept
    stored.pop("status")
    if stored["kind"] == "Job":
        del stored["spec"]["selector"]
        labels = template(stored)["metadata"]["labels"]
        for key in [key for key in labels if "controller-uid" in key or "job-name" in key]:
            del labels[key]
    return stored


def test_a_model_over_several_machines_is_scaled_to_them_or_to_nothing(here: Cluster) -> None:
    """`kubectl scale` asks no webhook, and everything else is scaled as ever."""
    sizes = {"alone": "", "joined": "2"}
    for name, machines in sizes.items():
        body = workload("StatefulSet", name, image="own:1")
        body["metadata"]["annotations"] = {annotations.EXPANSION: "{}"}
        env = [{"name": "PLAINSAIL_NODES", "value": machines}] if machines else []
        template(body)["spec"]["containers"] += [{"name": "model", "image": "own:1", "env": env}]
        here.create(body)
    for replicas in (3, 2, 0):
        here.kubectl("scale", "statefulset/alone", f"--replicas={replicas}")
    why = "are one model on 2 machines: scale it to 2, or to 0 to stop it"
    until(lambda: why in scaled(here, 3), 20.0)
    assert why in scaled(here, 1)
    assert here.get("statefulset/joined")["spec"]["replicas"] == 0
    for replicas in (2, 0):
        assert scaled(here, replicas) == "statefulset.apps/joined scaled\n"
    here.clean()


def scaled(here: Cluster, replicas: int) -> str:
    return here.kubectl("scale", "statefulset/joined", f"--replicas={replicas}", ok=(0, 1))


def test_a_workload_that_is_stored_stays_writable(here: Cluster) -> None:
    """W22: the policies look at what is made, so that nothing that runs is locked."""
    here.create(unlabelled())
    here.kubectl("label", "deployment/plain", "kaito.sh/preset=tiny-chat")
    here.kubectl("annotate", "deployment/plain", "example.com/touched=yes")
    assert here.refusal(workload(name="other", image="own:1"))
