"""A real control plane for tests marked `controlplane`: no root, loopback only, fake nodes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import api, binaries, control_plane


@pytest.fixture(scope="session")
def control_plane_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Administrator's kubeconfig of a control plane that lives for the session."""
    directory = tmp_path_factory.mktemp("control-plane")
    with control_plane.rootless(directory, binaries.binaries(lambda _: None)) as kubeconfig:
        yield kubeconfig


@pytest.fixture
def cluster_api(control_plane_kubeconfig: Path) -> Iterator[api.Api]:
    """The API of that control plane as its administrator."""
    made = api.Api(control_plane_kubeconfig)
    yield made
    made.close()
