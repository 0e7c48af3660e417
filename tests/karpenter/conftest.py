"""The real Karpenter over a real control plane; `make e2e-karpenter` builds it and runs these."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import api as apis
from deploy.local import binaries, control_plane, karpenter, manifests, paths, processes
from deploy.local.fake_nodes import FakeNodes
from tests import programs
from tests.apiserver import until
from tests.karpenter.market import Market
from tests.karpenter.team import SECONDS, Team

METRICS_PORT, HEALTH_PORT = 17400, 17401
OUTPUT = paths.REPOSITORY / "test-output"


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """What can be bought."""
    return Market(tmp_path_factory.mktemp("karpenter") / "instance-types.json")


@pytest.fixture(scope="session")
def control_plane_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Administrator's kubeconfig of a control plane with our scheduler beside the default one."""
    _assert_alone()
    directory, programs_ = tmp_path_factory.mktemp("control-plane"), binaries.binaries(print)
    with control_plane.rootless(directory, programs_, own_scheduler=True) as kubeconfig:
        yield kubeconfig


@pytest.fixture(scope="session")
def provider(
    control_plane_kubeconfig: Path, market: Market, request: pytest.FixtureRequest
) -> Iterator[processes.Supervisor]:
    """What keeps `karpenter` running for the session, beside the nodes that it makes."""
    with apis.Api(control_plane_kubeconfig) as api:
        built = karpenter.karpenter(lambda _: None)
        for file in built.definitions:
            for definition in manifests.read(file):
                api.apply(apis.path_of(definition), definition)
        environment = karpenter.environment(
            control_plane_kubeconfig, market.file, metrics=METRICS_PORT, health=HEALTH_PORT
        )
        logs = market.file.parent
        supervisor = processes.Supervisor(logs)
        supervisor.start("karpenter", [str(built.program)], environment=environment)
        try:
            with FakeNodes(api, adopt="kwok.x-k8s.io/node=fake"):
                yield supervisor
        finally:
            supervisor.stop()
            if request.session.testsfailed:
                OUTPUT.mkdir(exist_ok=True)
                shutil.copy(logs / "karpenter.log", OUTPUT)


@pytest.fixture
def team(
    cluster_api: apis.Api,
    control_plane_kubeconfig: Path,
    provider: processes.Supervisor,
    market: Market,
) -> Iterator[Team]:
    """A fresh namespace, the default node class and a market that has everything."""
    assert processes.alive(provider.pid("karpenter"))
    programs.install(cluster_api, "node-provisioner")
    market.sell()
    rights = control_plane_kubeconfig.parent / "etc" / "node-provisioner.kubeconfig"
    made = Team(cluster_api, programs.namespace(cluster_api), rights)
    made.apply_node_class()
    yield made
    made.leave()
    until(lambda: not made.claims() and not made.nodes(), SECONDS)


def _assert_alone() -> None:
    """Karpenter listens on every address: only where there is no network but a loopback."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    interfaces = {line.partition(":")[0].strip() for line in lines}
    assert interfaces == {"lo"}, "run `make e2e-karpenter`: Karpenter wants a network of its own"
