"""One real local cluster for all end-to-end tests; each test in a namespace of its own.

A cluster that cannot start fails the tests: nothing is skipped. When a test fails, the logs of
every component are copied to test-output/.
"""

import contextlib
import shutil
import uuid
from collections.abc import Iterator

import pytest

from deploy.local import api, claims, cluster, leftovers, market, paths, settings
from deploy.local.failures import CannotRun
from deploy.local.progress import Progress
from tests.e2e.namespaces import Namespace, eventually

CLUSTER = "tests"
OUTPUT = paths.REPOSITORY / "test-output"


@pytest.fixture(scope="session")
def loaded(request: pytest.FixtureRequest) -> Iterator[settings.Settings]:
    """The running cluster; whatever an earlier run left of it is cleared first."""
    leftovers.clear(CLUSTER)
    running = cluster.up(
        cluster.Options(CLUSTER, idle_ttl_seconds=5, no_spot=market.NO_SPOT), Progress()
    )
    yield running
    if request.session.testsfailed:
        keep_logs(running.files)
    cluster.down(CLUSTER)


@pytest.fixture
def namespace(loaded: settings.Settings) -> Iterator[Namespace]:
    """A fresh namespace; its workloads and machines are gone when the next test starts."""
    with api.Api(loaded.files.kubeconfig) as client:
        yield from _namespace(loaded, client)


def _namespace(loaded: settings.Settings, client: api.Api) -> Iterator[Namespace]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    made = Namespace(loaded, client, name)
    eventually(
        lambda: made.get("serviceaccounts", "default"), f"ServiceAccount default of {name}", 20
    )
    yield made
    for file in made.applied:
        with contextlib.suppress(CannotRun):
            made.delete(file)
    for claim in made.claims():
        client.delete(f"{claims.COLLECTION}/{claim['metadata']['name']}")
    eventually(lambda: not made.claims(), f"machines of {name} given back", 60)


def keep_logs(files: paths.ClusterPaths) -> None:
    """Copies the logs of every component and machine to test-output/."""
    target = OUTPUT / files.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(files.logs, target / "logs")
    for log in files.machines.glob("*/*.log"):
        copy = target / "machines" / log.parent.name
        copy.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, copy)
