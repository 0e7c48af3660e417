"""Our own kube-scheduler with its extender, as processes.

Configured as deploy/manifests/scheduler.yaml says, with the flags of scheduler-deployment.yaml.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.local import manifests
from deploy.local.processes import Supervisor

KUBECONFIG = "scheduler.kubeconfig"
"""Of the ServiceAccount that both run as; in the control plane's `etc`."""
RETRY = "--pod-max-in-unschedulable-pods-duration"
"""Flag by which kube-scheduler tries pods again without an event."""


@dataclass(frozen=True)
class Pair:
    """A scheduler and the extender that it asks."""

    binaries: Path
    kubeconfig: Path
    """Of their ServiceAccount."""
    directory: Path
    """For their configuration."""
    port: int
    """Of the scheduler's own pages."""
    extender_port: int


def shipped() -> dict[str, Any]:
    """The KubeSchedulerConfiguration of the manifest."""
    (found,) = (d for d in manifests.documents("scheduler") if d["kind"] == "ConfigMap")
    config: dict[str, Any] = yaml.safe_load(found["data"]["config.yaml"])
    return config


def shipped_flags() -> list[str]:
    """The flags of kube-scheduler in the manifest, but for where its configuration is."""
    (pods,) = (
        d["spec"]["template"]["spec"]
        for d in manifests.documents("scheduler-deployment")
        if d["kind"] == "Deployment"
    )
    (found,) = (c for c in pods["containers"] if c["name"] == "kube-scheduler")
    return [flag for flag in found["args"] if not flag.startswith("--config=")]


def configuration(pair: Pair, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The shipped configuration with what is of this place in it: kubeconfig and port.

    Without leader election: there is one of it, and after a crash it would wait for its own lease.
    `changes` go over its fields, and those under `extender` over the fields of the extender.
    """
    changed = dict(changes or {})
    config = shipped()
    config["clientConnection"]["kubeconfig"] = str(pair.kubeconfig)
    config["leaderElection"] = {"leaderElect": False}
    (extender,) = config["extenders"]
    extender["urlPrefix"] = f"http://127.0.0.1:{pair.extender_port}/"
    extender |= changed.pop("extender", {})
    return config | changed


def scheduler(pair: Pair) -> list[str]:
    """Command line of the scheduler; its configuration is written by `start`."""
    return [
        str(pair.binaries / "kube-scheduler"),
        f"--config={_config(pair)}",
        f"--authentication-kubeconfig={pair.kubeconfig}",
        f"--authorization-kubeconfig={pair.kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={pair.port}",
        *shipped_flags(),
    ]


def extender(pair: Pair) -> list[str]:
    """Command line of the extender."""
    port = f"--port={pair.extender_port}"
    return [sys.executable, "-m", "scheduler_ext", f"--kubeconfig={pair.kubeconfig}", port]


def start(
    pair: Pair,
    supervisor: Supervisor,
    *,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> None:
    """Starts both; their access rules are to be there."""
    write(pair)
    supervisor.start("extender", extender(pair), prefix=prefix, environment=environment)
    supervisor.start("own-scheduler", scheduler(pair), prefix=prefix)


def write(pair: Pair, changes: Mapping[str, Any] | None = None) -> None:
    """Writes the scheduler's configuration as JSON, which is YAML."""
    _config(pair).write_text(json.dumps(configuration(pair, changes)))


def _config(pair: Pair) -> Path:
    return pair.directory / "own-scheduler.json"
