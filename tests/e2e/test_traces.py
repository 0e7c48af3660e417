"""Up and down leave the host as it was, also after kills; clusters live side by side."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import cluster, leftovers, network, paths, processes, settings
from deploy.local.progress import Progress
from tests.e2e import host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

NAME = "traces"
COMMAND = [sys.executable, "-m", "deploy.local"]


@pytest.fixture(autouse=True)
def _cleared() -> Iterator[None]:
    leftovers.clear(NAME)
    yield
    leftovers.clear(NAME)


def traces() -> dict[str, object]:
    """Everything on the host that a cluster touches."""

    def ip(*words: str) -> list[str]:
        found = json.loads(subprocess.check_output(["ip", "-j", *words]))
        return sorted(
            str(item.get("ifname") or item.get("dst") or item.get("name")) for item in found
        )

    sysctls = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")
    return {
        "namespaces": ip("netns", "list") if Path("/run/netns").exists() else [],
        "links": ip("link", "show"),
        "routes": ip("route", "show"),
        "mounts": host.mounts(),
        "cgroups": host.groups(),
        "sysctls": [Path("/proc/sys", name).read_text() for name in sysctls],
        "nft": subprocess.check_output(["nft", "list", "ruleset"], text=True),
        "state": sorted(p.name for p in paths.state_root().glob("*")),
        "processes": sorted(_ours()),
    }


def _ours() -> Iterator[str]:
    mark = str(paths.state_root() / NAME).encode()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if mark in words:
            yield words.decode(errors="replace")


def up() -> settings.Settings:
    """A cluster of this module, with no workload."""
    return cluster.up(cluster.Options(NAME), Progress())


def test_down_leaves_nothing_of_a_cluster(loaded: settings.Settings) -> None:
    """Namespaces, links, routes, mounts, cgroups, sysctls, rules, files, processes: as before."""
    before = traces()
    running = up()
    assert running.octet != loaded.octet, "side by side on addresses of their own"
    assert cluster.answers(loaded.files)
    assert cluster.answers(running.files)

    removed = cluster.down(NAME)

    assert "network namespaces" in removed
    assert traces() == before
    assert cluster.answers(loaded.files), "the other cluster is untouched"


def test_a_second_up_adopts_the_cluster_that_runs() -> None:
    """Same daemon, same kubeconfig, at once."""
    first = up()
    daemon = leftovers.daemon_pid(first.files)
    begun = time.monotonic()
    assert up() == first
    assert leftovers.daemon_pid(first.files) == daemon
    assert time.monotonic() - begun < 5


def test_up_clears_what_a_killed_run_left() -> None:
    """Daemon and every process killed: namespaces, mounts, cgroups and files are still there."""
    first = up()
    everything = [
        leftovers.daemon_pid(first.files),
        *processes.in_namespaces(network.existing(NAME)),
    ]
    processes.kill(everything)
    assert "network namespaces" in leftovers.found(NAME)

    second = up()

    assert cluster.answers(second.files)


@pytest.mark.parametrize("after", [0.3, 1.5, 3.0], ids=["early", "middle", "late"])
def test_an_interrupted_up_leaves_nothing(after: float) -> None:
    """SIGINT at any moment: one line, exit status 1, the host as before."""
    before = traces()
    process = subprocess.Popen(
        [*COMMAND, "up", "--name", NAME],
        cwd=paths.REPOSITORY,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 1, words
    assert words.splitlines()[-1] == "interrupted: what was started has been removed"
    assert "Traceback" not in words
    assert traces() == before
