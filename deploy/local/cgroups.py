"""A machine's own cgroup in every hierarchy of the host, version 1, 2 or both."""

import contextlib
import time
from pathlib import Path

from deploy.local import processes

OURS = "plainsail"
"""Top of every cgroup that we make."""


def path(cluster: str, machine: str = "") -> str:
    """Cgroup of `machine`, or of the whole cluster, below each hierarchy."""
    return f"/{OURS}/{cluster}/{machine}".rstrip("/")


def hierarchies() -> list[Path]:
    """Mount points of the cgroup hierarchies."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            found.append(Path(target))
    return found


def create(cgroup: str) -> None:
    """Makes `cgroup` in every hierarchy, ready for the kubelet, which refuses to make its root."""
    for hierarchy in hierarchies():
        current = hierarchy
        for part in cgroup.strip("/").split("/"):
            _delegate(current)
            parent, current = current, current / part
            current.mkdir(exist_ok=True)
            _copy_cpuset(parent, current)
        _delegate(current)


def remove(cgroup: str) -> None:
    """Removes `cgroup` from every hierarchy, ending what still runs in it."""
    for hierarchy in hierarchies():
        top = hierarchy / cgroup.strip("/")
        if top.is_dir():
            _remove_tree(top)
        with contextlib.suppress(OSError):
            # Empty once the last cluster is gone.
            (hierarchy / OURS).rmdir()


def existing(cluster: str) -> bool:
    """Whether a cgroup of `cluster` exists anywhere."""
    return any((h / path(cluster).strip("/")).is_dir() for h in hierarchies())


def _delegate(group: Path) -> None:
    """Version 2: children get the controllers that their parent has."""
    controllers = group / "cgroup.controllers"
    if controllers.exists():
        wanted = " ".join(f"+{name}" for name in controllers.read_text().split())
        # The root of a busy host may refuse one of them; the kubelet says which it misses.
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(wanted)


def _copy_cpuset(parent: Path, child: Path) -> None:
    """Version 1: a new cpuset is empty, and no process can enter an empty one."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (parent / name).exists() and not (child / "cgroup.controllers").exists():
            (child / name).write_text((parent / name).read_text())


def _remove_tree(top: Path) -> None:
    deadline = time.monotonic() + 5
    while top.is_dir() and time.monotonic() < deadline:
        for group in sorted(
            (p for p in [top, *top.rglob("*")] if p.is_dir()),
            key=lambda p: len(p.parts),
            reverse=True,
        ):
            with contextlib.suppress(OSError):
                processes.kill([int(pid) for pid in (group / "cgroup.procs").read_text().split()])
            # Busy until the kernel has reaped what was in it: the next round tries again.
            with contextlib.suppress(OSError):
                group.rmdir()
        time.sleep(0.005)
