"""What the host must have before a cluster starts: all that is missing, in one message."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

from deploy.local import machines, paths
from deploy.local.failures import CannotRun
from deploy.local.golang import Report

PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
}
"""Program -> Debian package that holds it."""
CNI_PACKAGE = "containernetworking-plugins"
DISK_GIGABYTES = 3
"""Free space that one start needs at most: images and logs, not the caches of a first build."""
FIRST_DISK_GIGABYTES = 12
"""Free space that the first start on a machine needs: Go's build cache 4, PyTorch 6, images 1."""


def check(report: Report) -> None:
    """Makes sure that a cluster can run here; installs Debian packages that are missing.

    Raises:
        CannotRun: not Linux, not root, too little disk, or packages that cannot be installed.
    """
    if platform.system() != "Linux":
        raise CannotRun(
            f"the local cluster needs Linux, this is {platform.system()}",
            "run it in a Linux virtual machine",
        )
    if os.geteuid() != 0:
        raise CannotRun(
            "the local cluster needs root: it makes network namespaces and runs containers",
            "run it with sudo, or as root",
        )
    _check_disk()
    missing = _missing_packages()
    if missing:
        _install(missing, report)


def _check_disk() -> None:
    cache = paths.cache()
    cache.mkdir(parents=True, exist_ok=True)
    first = not any(cache.glob("kube-*/kube"))
    needed = FIRST_DISK_GIGABYTES if first else DISK_GIGABYTES
    free = shutil.disk_usage(cache).free / 1e9
    if free < needed:
        raise CannotRun(
            f"{cache} has {free:.1f} GB free, {needed} GB are needed",
            "free some space, or set PLAINSAIL_CACHE to a directory on a larger disk",
        )


def _missing_packages() -> list[str]:
    missing = {package for program, package in PROGRAMS.items() if not shutil.which(program)}
    if not any((Path(d) / "bridge").exists() for d in machines.CNI_DIRECTORIES):
        missing.add(CNI_PACKAGE)
    return sorted(missing)


def _install(packages: list[str], report: Report) -> None:
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise CannotRun(
            f"these programs are missing; their Debian packages are: {names}", "install them"
        )
    report(f"installing {names}")
    # A package must not start its own containerd beside ours.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "--quiet"],
        ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise CannotRun(
            f"Debian packages {names} could not be installed: {words}", f"apt-get install {names}"
        )
