"""A host that cannot run the local cluster is told so in one message."""

import os
import platform
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.local import machines, requirements
from deploy.local.failures import CannotRun


class Usage(NamedTuple):
    total: float
    used: float
    free: float


def refused() -> str:
    """What the check says."""
    with pytest.raises(CannotRun) as caught:
        requirements.check(lambda _: None)
    return caught.value.render()


@pytest.fixture(autouse=True)
def _fit_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100e9, 0, 100e9))
    monkeypatch.setenv("PLAINSAIL_CACHE", str(tmp_path))
    (tmp_path / "bridge").touch()
    monkeypatch.setattr(machines, "CNI_DIRECTORIES", (str(tmp_path),))


def test_a_fit_host_passes() -> None:
    requirements.check(lambda _: None)


def test_an_ordinary_user_is_told_to_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert refused() == (
        "error: the local cluster needs root: it makes network namespaces and runs containers\n"
        "hint: run it with sudo, or as root"
    )


def test_another_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert refused() == (
        "error: the local cluster needs Linux, this is Darwin\n"
        "hint: run it in a Linux virtual machine"
    )


def test_too_little_disk_names_directory_and_amounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100e9, 99e9, 1e9))
    assert refused() == (
        f"error: {tmp_path} has 1.0 GB free, 12 GB are needed\n"
        "hint: free some space, or set PLAINSAIL_CACHE to a directory on a larger disk"
    )


def test_missing_programs_are_all_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"ip", "nsenter", "unshare", "setpriv", "mount"}
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in here else None)
    assert refused() == (
        "error: these programs are missing; their Debian packages are: containerd nftables runc\n"
        "hint: install them"
    )
