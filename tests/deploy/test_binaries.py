"""Where the Kubernetes programs come from."""

from pathlib import Path

import pytest

from deploy.local import binaries
from deploy.local.failures import CannotRun


def test_a_users_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    for name in binaries.PROGRAMS:
        (tmp_path / name).touch(mode=0o755)
    assert binaries.binaries(print, tmp_path) == tmp_path


def test_a_users_directory_without_a_program_is_refused_by_name(tmp_path: Path) -> None:
    for name in binaries.PROGRAMS[1:]:
        (tmp_path / name).touch(mode=0o755)
    with pytest.raises(CannotRun) as caught:
        binaries.binaries(print, tmp_path)
    assert str(caught.value) == f"{tmp_path} lacks {binaries.PROGRAMS[0]}"


def test_a_failed_build_leaves_no_half_binary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = tmp_path / "go"
    fails.write_text(
        '#!/bin/sh\n[ "$1" = version ] && echo "go version go1.99.0 linux/amd64" && exit\n'
        'echo "no space left on device" >&2; exit 1\n'
    )
    fails.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PLAINSAIL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(CannotRun, match="no space left on device"):
        binaries.binaries(lambda _: None)
    assert not list((tmp_path / "cache").glob("kube-*/kube"))


def test_the_go_module_pins_the_version_that_the_server_reports() -> None:
    go_mod = (binaries.SOURCE / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{binaries.KUBERNETES}" in go_mod
    staging = binaries.KUBERNETES.replace("1.", "v0.", 1)
    assert f"k8s.io/client-go => k8s.io/client-go {staging}" in go_mod
