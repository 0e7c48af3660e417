"""The program as a process."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controller import settings
from tests import apiserver
from tests.controller import objects


def test_flags_become_settings() -> None:
    assert settings.parse(["--kubeconfig", "k"]) == settings.Settings("k")
    assert settings.parse([]) == settings.Settings()


@pytest.mark.slow
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
