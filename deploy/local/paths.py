"""Where files live: the cache that outlives clusters, and one directory per cluster."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")
"""Cluster names: a DNS label that leaves room in names of interfaces and namespaces."""


class BadName(ValueError):
    """A cluster name that could not be a DNS label."""


def cache() -> Path:
    """Directory of everything that can be made again: binaries, images, the torch stack."""
    explicit = os.environ.get("PLAINSAIL_CACHE")
    if explicit:
        return Path(explicit)
    return _xdg("XDG_CACHE_HOME", ".cache") / "plainsail"


def state_root() -> Path:
    """Directory that holds one directory per cluster."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "plainsail"


def _xdg(variable: str, fallback: str) -> Path:
    explicit = os.environ.get(variable)
    return Path(explicit) if explicit else Path.home() / fallback


@dataclass(frozen=True)
class ClusterPaths:
    """Files of one cluster."""

    name: str
    root: Path

    @property
    def pki(self) -> Path:
        """CA, leaves and keys."""
        return self.root / "pki"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    @property
    def etc(self) -> Path:
        """Configuration files and kubeconfigs of the components."""
        return self.root / "etc"

    @property
    def machines(self) -> Path:
        """One directory per machine."""
        return self.root / "machines"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def settings(self) -> Path:
        """What the cluster was started with: `daemon.Settings` as JSON."""
        return self.root / "settings.json"

    @property
    def events(self) -> Path:
        """Progress of the start: one JSON object a line."""
        return self.root / "events.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the cluster's daemon as long as it lives."""
        return self.root / "lock"


def cluster(name: str) -> ClusterPaths:
    """The paths of cluster `name`.

    Raises:
        BadName: `name` is not a lower-case DNS label of at most 20 characters.
    """
    if not NAME.fullmatch(name):
        raise BadName(
            f"{name!r} is not a cluster name: at most 20 of a-z, 0-9 and -, starting with a letter"
        )
    return ClusterPaths(name, state_root() / name)
