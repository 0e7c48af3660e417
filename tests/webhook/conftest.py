"""One control plane and one webhook for every test of admission that needs them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import api as apis
from deploy.local import binaries
from tests.apiserver import until
from tests.golden_terms import TERMS
from tests.webhook import cluster as clusters
from webhook import admit


@pytest.fixture(scope="session")
def shared(
    control_plane_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[clusters.Cluster]:
    """A namespace whose labelled workloads go through a webhook of ours, for the whole run."""
    webhook = clusters.Webhook(tmp_path_factory.mktemp("webhook"))
    kubectl = binaries.binaries(lambda _: None) / "kubectl"
    with apis.Api(control_plane_kubeconfig) as api:
        made = clusters.Cluster(api, kubectl, control_plane_kubeconfig, webhook)
        configuration = clusters.configuration(made.namespace, [made.namespace], webhook.client)
        try:
            webhook.start()
            with clusters.registered(api, configuration):
                made.until_asked()
                yield made
        finally:
            webhook.stop()
            made.remove()


@pytest.fixture
def cluster(shared: clusters.Cluster) -> Iterator[clusters.Cluster]:
    """That namespace; its workloads are deleted after each test."""
    yield shared
    shared.clean()


@pytest.fixture(scope="module")
def able(
    shared: clusters.Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[clusters.Cluster]:
    """A namespace whose labelled workloads are decided with an image that can do everything.

    The shipped program refuses what its own image cannot; here our decision answers from the test.
    """
    here = shared.elsewhere()
    with clusters.Foreign(tmp_path_factory.mktemp("able"), _decided) as foreign:
        made = clusters.configuration(here.namespace, [here.namespace], foreign.client)
        with clusters.registered(here.api, made):
            here.until_asked()
            yield here
    here.remove()


def _decided(request: clusters.Object) -> list[clusters.Object]:
    asked = admit.AdmissionRequest(
        request["operation"], request["object"], request.get("oldObject")
    )
    decision = admit.admit(asked, TERMS)
    assert not isinstance(decision, admit.Denied), decision
    return decision.patch if isinstance(decision, admit.Allowed) else []


@pytest.fixture
def strictly(shared: clusters.Cluster) -> Iterator[Callable[[clusters.Object], str]]:
    """Why Pod Security of level `restricted` would not let in a pod of that spec; empty: it does.

    By the real API server, which also checks every field.
    """
    here = shared.elsewhere()

    def refusal(spec: clusters.Object) -> str:
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "made"}, "spec": spec}
        return here.refusal(made)

    try:
        level = "pod-security.kubernetes.io/enforce=restricted"
        here.kubectl("label", "namespace", here.namespace, level)
        loose = {"containers": [{"name": "own", "image": "own:1"}]}
        until(lambda: "restricted" in refusal(loose), 20.0)
        yield refusal
    finally:
        here.remove()
