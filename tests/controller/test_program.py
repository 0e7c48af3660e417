"""The program as a process, and the parts that it has in common with the node planner."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controller import settings
from tests import apiserver
from tests.controller import objects

_ROOT = Path(__file__).parents[2]


def test_flags_become_settings() -> None:
    assert settings.parse(["--kubeconfig", "k"]) == settings.Settings("k")
    assert settings.parse([]) == settings.Settings()


def test_it_ends_within_a_second_of_sigterm(server: apiserver.ApiServer, tmp_path: Path) -> None:
    server.put("deployments", objects.workload())
    flags = ["--kubeconfig", apiserver.kubeconfig(server, tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "controller", *flags], stderr=subprocess.PIPE, text=True
    )
    try:
        apiserver.until(lambda: server.all("services"), 30.0)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=5)
        assert time.monotonic() - asked < 1.0
        assert process.returncode == 0
        assert "event=service_created workload=team-a/Deployment/chat" in said
    finally:
        process.kill()


@pytest.mark.parametrize("module", ["api", "cluster", "logs", "mirror", "pace"])
def test_the_copies_of_the_cluster_edge_do_not_drift_apart(module: str) -> None:
    """Programs never import one another; what both need is the same text, tested once."""
    ours = (_ROOT / "controller" / f"{module}.py").read_text()
    theirs = (_ROOT / "node_provisioner" / f"{module}.py").read_text()
    assert ours == theirs.replace("node_provisioner", "controller")
