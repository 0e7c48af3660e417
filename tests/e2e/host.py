"""What of the host a cluster and its machines touch, to be compared before and after."""

from pathlib import Path

from deploy.local import cgroups


def mounts() -> list[str]:
    """Everything that is mounted here."""
    return sorted(Path("/proc/self/mounts").read_text().splitlines())


def groups() -> list[str]:
    """Control groups of ours."""
    return sorted(
        str(path)
        for hierarchy in cgroups.hierarchies()
        for path in hierarchy.rglob("*plainsail*")
        if path.is_dir()
    )
