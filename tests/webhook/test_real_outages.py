"""The webhook stopped, slow, or not there yet: who is refused, who is not, and how fast.

A webhook and configurations of their own, so that no other test meets the outage.
"""

import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from presets import annotations
from tests import programs
from tests.apiserver import until
from tests.webhook import cluster as clusters
from tests.webhook.cluster import IDLE, KINDS, Cluster, Object, Webhook, unlabelled, workload

pytestmark = pytest.mark.controlplane

AT_ONCE_SECONDS = 1.0
"""For a refusal whose cause is known at once: 0.12 s were measured, and machines differ."""

KUBE_SYSTEM, OWN = "kube-system", "plainsail-system"


@dataclass(frozen=True)
class Outage:
    """A webhook that has been stopped, and a namespace for each policy about it."""

    webhook: Webhook
    failing: Cluster
    ignoring: Cluster
    excluded: tuple[Cluster, ...]
    """Those that the shipped configuration never asks about."""


@pytest.fixture(scope="module")
def outage(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    programs.install(shared.api)
    webhook = Webhook(tmp_path_factory.mktemp("webhook"))
    failing, ignoring = shared.elsewhere(), shared.elsewhere()
    excluded = tuple(shared.elsewhere(name) for name in (KUBE_SYSTEM, OWN))
    with contextlib.ExitStack() as stack:
        stack.callback(webhook.stop)
        webhook.start()
        for here, policy in ((failing, "Fail"), (ignoring, "Ignore")):
            names = [here.namespace, *(other.namespace for other in excluded)]
            made = clusters.configuration(
                here.namespace, names, webhook.client, failurePolicy=policy
            )
            stack.callback(here.remove)
            stack.enter_context(clusters.registered(here.api, made))
            here.until_asked()
        failing.create(workload(name="stored"))
        webhook.stop()
        yield Outage(webhook, failing, ignoring, excluded)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_webhook_refuses_what_opts_in_and_nothing_else(outage: Outage, kind: str) -> None:
    """W1: at once, and with the reason."""
    start = time.monotonic()
    assert "connection refused" in outage.failing.refusal(workload(kind))
    by_pods = unlabelled(kind)
    by_pods["spec"]["template"]["metadata"]["labels"][annotations.PRESET] = "tiny-chat"
    assert "connection refused" in outage.failing.refusal(by_pods)
    assert time.monotonic() - start < 2 * AT_ONCE_SECONDS
    start = time.monotonic()
    outage.failing.create(unlabelled(kind))
    assert time.monotonic() - start < AT_ONCE_SECONDS
    said = outage.failing.apply(clusters.of_kind(kind, IDLE), ok=(1,))
    assert 'failed calling webhook "expand.plainsail.dev"' in said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "spec",
    [None, {}, {"template": None}, {"template": {}}, {"template": {"metadata": None}}],
    ids=str,
)
def test_without_the_label_no_shape_meets_the_stopped_webhook(
    outage: Outage, kind: str, spec: object
) -> None:
    """W1: conditions are evaluated for everybody, and one that failed would refuse the object."""
    body = {**unlabelled(kind), "spec": spec}
    metas: list[Object] = [{}, {"labels": None}, {"labels": {}}, {"labels": {"app": "x"}}]
    for labels in metas:
        said = outage.failing.refusal({**body, "metadata": {"name": "plain", **labels}})
        assert said.startswith("422 ")
        assert "Required value" in said


def test_what_is_stored_lives_on_while_the_webhook_is_down(outage: Outage) -> None:
    """W1: it is scaled, its pods are made, and it can be deleted."""
    here = outage.failing
    here.kubectl("scale", "deployment/stored", "--replicas=1")
    until(lambda: here.get("deployment/stored")["status"].get("replicas") == 1, 20.0)
    here.kubectl("delete", "deployment/stored")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("containers", [None, [], [{"name": "model"}]], ids=["null", "[]", "stub"])
def test_under_ignore_a_stub_is_still_refused(
    outage: Outage, kind: str, containers: list[Object] | None
) -> None:
    """W2: by validation, for what we would have filled in is required."""
    body = workload(kind)
    labels = {"app": "chat"}
    body["spec"]["template"] = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    if kind == "Job":
        body["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    else:
        body["spec"]["selector"] = {"matchLabels": labels}
    field = "containers[0].image" if containers else "containers"
    assert f"spec.template.spec.{field}: Required value" in outage.ignoring.refusal(body)


def test_under_ignore_a_whole_workload_is_stored_as_it_came(outage: Outage) -> None:
    """W2: the cost of editing the policy; the admission policies refuse it (W22)."""
    stored = outage.ignoring.create(workload(image="own:1"))
    assert "nvidia.com/gpu" not in str(stored["spec"])


def test_a_slow_webhook_holds_up_its_own_request_and_nothing_else(
    shared: Cluster, tmp_path: Path
) -> None:
    """W3: the request ends at the shipped timeout; others, labelled ones too, do not wait."""
    here = shared.elsewhere()
    with contextlib.ExitStack() as stack:
        stack.callback(here.remove)
        slow = stack.enter_context(clusters.Foreign(tmp_path, lambda _: []))
        made = clusters.configuration(here.namespace, [here.namespace], slow.client)
        stack.enter_context(clusters.registered(here.api, made))
        until(lambda: here.refusal(workload()) and slow.calls, 20.0)
        slow.delay_seconds = 6.0
        ended: list[tuple[float, str]] = []
        thread = threading.Thread(target=lambda: ended.append(_timed(here)))
        thread.start()
        stack.callback(thread.join)
        others = [_seconds_of_others(here, shared, number) for number in range(20)]
        assert thread.is_alive(), "the others are to be tried while it waits"
        thread.join()
    ((took, said),) = ended
    assert "context deadline exceeded" in said
    (shipped,) = {hook["timeoutSeconds"] for hook in made["webhooks"]}
    assert shipped <= took < shipped + AT_ONCE_SECONDS
    assert max(others) < AT_ONCE_SECONDS


def _timed(here: Cluster) -> tuple[float, str]:
    """Seconds until the labelled workload was refused, and why."""
    start = time.monotonic()
    said = here.refusal(workload())
    return time.monotonic() - start, said


def _seconds_of_others(here: Cluster, elsewhere: Cluster, number: int) -> float:
    """One unlabelled creation beside it, and one labelled in a namespace whose webhook is well."""
    start = time.monotonic()
    here.create(unlabelled(name=f"plain-{number}"))
    elsewhere.try_out(workload())
    return time.monotonic() - start


def test_our_own_namespace_is_never_asked_about_so_that_the_webhook_can_come_up(
    outage: Outage,
) -> None:
    """W18: a labelled workload of the webhook's own namespace runs while the webhook is down.

    In kube-system, too. Then the webhook starts, and the rest of the cluster is served again.
    """
    for here in outage.excluded:
        body = workload(name="labelled", image="own:1")
        body["spec"]["replicas"] = 1
        body["spec"]["template"]["spec"] = _RESTRICTED
        here.create(body)
        try:
            until(functools.partial(_has_pods, here), 20.0)
            here.kubectl("annotate", "deployment/labelled", "example.com/touched=yes")
        finally:
            here.api.delete(here.path("deployment/labelled") + "?propagationPolicy=Background")
    assert "connection refused" in outage.failing.refusal(workload())
    try:
        outage.webhook.start()
        outage.failing.until_asked()
    finally:
        outage.webhook.stop()


def _has_pods(here: Cluster) -> bool:
    return bool(here.get("deployment/labelled")["status"].get("replicas") == 1)


_RESTRICTED: Object = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "webhook",
            "image": "own:1",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
}
"""A pod that the namespace's Pod Security level lets in."""
