"""The import rules of docs/architecture.md by the syntax tree alone, and what a clone holds."""

import ast
import importlib.metadata
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = {"webhook", "scheduler_ext", "node_provisioner", "controller", "runtime"}
VOCABULARY = {"presets", "certs", "telemetry"}
CLUSTER = {"kubeapi"}
OURS = PROGRAMS | VOCABULARY | CLUSTER | {"cli"}
DEEP_LEARNING = {"torch", "transformers", "peft", "optimum", "trl"}
ALLOWED = {
    **dict.fromkeys(PROGRAMS, VOCABULARY | CLUSTER),
    "runtime": VOCABULARY,
    "presets": set[str](),
    "telemetry": set[str](),
    "certs": {"telemetry"},
    "kubeapi": {"telemetry"},
    "cli": VOCABULARY | CLUSTER | PROGRAMS - {"runtime"},
}


def modules(package: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every module of a package with its syntax tree."""
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    """Top-level names of everything that a tree imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", sorted(OURS))
def test_packages_import_only_what_they_may(package: str) -> None:
    for path, tree in modules(package):
        foreign = (set(imported(tree)) & OURS) - {package} - ALLOWED[package]
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


@pytest.mark.parametrize("package", sorted(OURS - {"runtime"}))
def test_the_control_plane_runs_without_a_deep_learning_stack(package: str) -> None:
    for path, tree in modules(package):
        assert not set(imported(tree)) & DEEP_LEARNING, path


def test_the_local_cluster_imports_none_of_the_programs() -> None:
    for path, tree in modules("deploy"):
        assert not set(imported(tree)) & (PROGRAMS | {"cli"}), path


def test_one_module_imports_the_kubernetes_client() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for package in sorted(OURS)
        for path, tree in modules(package)
        if "kubernetes" in set(imported(tree))
    ]
    assert users == ["kubeapi/client.py"]


def test_no_other_distribution_installs_our_names() -> None:
    """Flat packages: a clash would shadow one of them."""
    installed = importlib.metadata.packages_distributions()
    clashes = {name: installed[name] for name in OURS if name in installed}
    assert all(set(owners) == {"plainsail"} for owners in clashes.values()), clashes


def test_console_scripts_name_functions_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for target in project["scripts"].values():
        module, function = target.split(":")
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert function in names, target


def test_locks_carry_hashes_and_no_index_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--index|--find-links", text), lock.name


def test_make_targets_are_at_most_three_lines() -> None:
    recipe = 0
    for line in (ROOT / "Makefile").read_text().splitlines():
        recipe = recipe + 1 if line.startswith("\t") else 0
        assert recipe <= 3, line


def test_no_file_is_large() -> None:
    """9 MB is above the models and far below what a clone would feel."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    files = [ROOT / name for name in listed.split("\0") if name]
    large = [file for file in files if file.is_file() and file.stat().st_size > 9_000_000]
    assert not large
