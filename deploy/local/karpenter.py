"""Karpenter with its kwok provider: the real controllers, over nodes that are only objects."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local import cached, golang, paths
from deploy.local.failures import CannotRun

VERSION = "1.14.1"
SOURCE = Path(__file__).parent / "karpenter-kwok"
_DEFINITIONS = ("kwok/charts/crds", "kwok/apis/crds")


@dataclass(frozen=True)
class Karpenter:
    """What the cache holds of it."""

    home: Path

    @property
    def program(self) -> Path:
        """The executable."""
        return self.home / "karpenter-kwok"

    @property
    def definitions(self) -> list[Path]:
        """Files of the CustomResourceDefinitions that it reads, unchanged from its module."""
        return sorted((self.home / "crds").glob("*.yaml"))


def karpenter(report: golang.Report) -> Karpenter:
    """Karpenter from the cache, else built; two minutes on two cores.

    Raises:
        CannotRun: the build failed, or the definitions are not where the program comes from.
    """
    program = golang.Program(f"Karpenter {VERSION}", SOURCE, packages=1010, minutes=2)
    home = paths.cache() / f"karpenter-{VERSION}-{program.digest}"
    return Karpenter(cached.directory(home, lambda fresh: _build(program, fresh, report)))


def environment(
    kubeconfig: Path, instance_types: Path, *, metrics: int, health: int
) -> dict[str, str]:
    """Settings of the program, which takes them from its environment.

    It listens on every address of its network on the ports `metrics` and `health`: give it a
    network of its own. `instance_types` is its JSON list of what can be bought.
    """
    return {
        "KUBECONFIG": str(kubeconfig),
        "INSTANCE_TYPES_FILE_PATH": str(instance_types),
        "METRICS_PORT": str(metrics),
        "HEALTH_PROBE_PORT": str(health),
        "DISABLE_LEADER_ELECTION": "true",
    }


def _build(program: golang.Program, fresh: Path, report: golang.Report) -> None:
    go = golang.build(program, fresh / "karpenter-kwok", report)
    found = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/karpenter"],
        cwd=program.module,
        env=golang.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise CannotRun(f"{program.title}: its sources were not found: {found.stderr.strip()}")
    (fresh / "crds").mkdir()
    for folder in _DEFINITIONS:
        for file in sorted(Path(found.stdout.strip(), folder).glob("*.yaml")):
            shutil.copy(file, fresh / "crds" / file.name)
