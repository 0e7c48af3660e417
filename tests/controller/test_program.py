"""The program as a process."""

import signal
from pathlib import Path

import pytest

from controller import settings
from tests import apiserver, programs
from tests.controller import objects


def test_flags_become_settings() -> None:
    assert settings.parse(["--kubeconfig", "k"]) == settings.Settings("k")
    assert settings.parse([]) == settings.Settings()
    assert settings.parse(["--planner-lease=a/b"]) == settings.Settings(planner_lease=("a", "b"))
    assert settings.parse(["--planner-lease=none"]).planner_lease is None


def test_a_bad_lease_ends_with_its_flag_and_its_form(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        settings.parse(["--planner-lease=x"])
    assert '--planner-lease: "x" is not NAMESPACE/NAME or none' in capsys.readouterr().err


@pytest.mark.slow
def test_it_ends_at_sigterm(server: apiserver.ApiServer, tmp_path: Path) -> None:
    server.put("deployments", objects.workload())
    kubeconfig = f"--kubeconfig={apiserver.kubeconfig(server, tmp_path)}"
    with programs.started("controller", kubeconfig) as process:
        apiserver.until(lambda: server.all("services"), 30.0)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "event=service_created workload=team-a/Deployment/chat" in said
