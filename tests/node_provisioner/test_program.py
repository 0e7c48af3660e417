"""The program as a process: flags, logs, signals."""

import argparse
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kubeapi import leases
from node_provisioner import limits, settings
from tests import apiserver, programs
from tests.node_provisioner import objects


def test_flags_become_settings() -> None:
    flags = ["--kubeconfig", "k", "--dialect", "local", "--idle-ttl", "90s", "--max-claims", "7"]
    base = settings.Settings(lease=leases.PLANNER, identity="me")
    assert settings.parse(["--identity=me"]) == base
    expected = replace(base, kubeconfig="k", idle_ttl_seconds=90.0, max_claims=7)
    assert settings.parse([*flags, "--identity=me"]) == expected
    more = ["--max-claims-per-workload=3", "--max-claims-per-namespace=5"]
    chosen = settings.parse([*more, "--max-price-per-hour=12.5"])
    assert chosen.limits == limits.Limits(100, 5, 3, 12_500_000)
    assert settings.parse(["--lease=none"]).lease is None
    assert settings.parse(["--lease=a/b"]).lease == ("a", "b")
    assert settings.parse(["--metrics=127.0.0.1:80"]).metrics == ("127.0.0.1", 80)


@pytest.mark.parametrize(
    "flag", ["--lease=x", "--metrics=80", "--metrics=a:99999", "--max-price-per-hour=-1"]
)
def test_a_bad_flag_ends_with_its_name_and_an_example(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        settings.parse([flag])
    assert flag.partition("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("1.5s", 1.5), ("10m", 600.0), ("1h", 3600.0)]
)
def test_durations_have_units(text: str, seconds: float) -> None:
    assert settings.seconds(text) == seconds


@pytest.mark.parametrize("text", ["10", "m", "-1s", "1d", ""])
def test_a_duration_without_a_unit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="such as 90s"):
        settings.seconds(text)


def test_without_a_cluster_it_says_what_to_do(tmp_path: Path) -> None:
    said = programs.refused("node_provisioner", f"--kubeconfig={tmp_path / 'absent'}")
    assert "absent" in said
    assert "hint: give --kubeconfig FILE" in said


@pytest.mark.slow
@pytest.mark.parametrize("away", [False, True])
def test_it_ends_at_sigterm_with_and_without_a_cluster(
    server: apiserver.ApiServer,
    tmp_path: Path,
    away: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    server.put("pods", objects.pod("a"))
    kubeconfig = f"--kubeconfig={apiserver.kubeconfig(server, tmp_path)}"
    with programs.started("node_provisioner", kubeconfig) as process:
        apiserver.until(lambda: server.all("nodeclaims"), 30.0)
        if away:
            server.stop()
            time.sleep(0.2)
        try:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        finally:
            if away:
                server.start()
    assert "Traceback" not in said
    assert process.returncode == 0
    assert "event=claim_created" in said
