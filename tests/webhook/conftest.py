"""One control plane and one webhook for every test of admission that needs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import api as apis
from deploy.local import binaries
from tests.webhook import cluster as clusters


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
