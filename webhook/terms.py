"""What is decided by, beside the object: presets, and what the webhook was told of its cluster.

The flags that tell it are those of the command line too, so that a preview shows what is stored.
"""

import argparse
from dataclasses import dataclass

from presets import catalog, gpus, providers, runtime_args, scheduling
from webhook import machines


@dataclass(frozen=True)
class Terms:
    """The same for every object while a webhook runs."""

    presets: catalog.Catalog
    cloud: str = machines.CLOUD
    """Whose machines are taken where the user names none."""
    image_volumes: bool = True
    """The cluster mounts images; else init containers copy weights and adapters out of them."""
    programs: frozenset[str] = runtime_args.PROGRAMS
    """Verbs that the model server's image answers."""
    scheduler: str = scheduling.SCHEDULER
    """Our own kube-scheduler, which places the pods; empty: the cluster does not run it."""
    provider: providers.Provider | None = None
    """Who buys the nodes; None: the webhook was not told."""
    on_processors: bool = False
    """The cluster has no GPUs: what can be served on processors is, and nothing is bought."""


def of(flags: argparse.Namespace, presets: catalog.Catalog) -> Terms:
    """The terms of a command line that `add_flags` was called for."""
    return Terms(
        presets,
        flags.cloud,
        flags.image_volumes,
        scheduler=flags.scheduler,
        provider=providers.PROVIDERS.get(flags.dialect),
        on_processors=flags.on_processors,
    )


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What the cluster is like."""
    text = "whose machines are taken where a workload names none (%(default)s)"
    parser.add_argument("--cloud", choices=gpus.CLOUDS, default=machines.CLOUD, help=text)
    text = (
        "the cluster has no GPUs, as on a laptop: models small enough are served on processors, and"
        " nothing is bought"
    )
    parser.add_argument("--cpu", action="store_true", dest="on_processors", help=text)
    text = "who buys the nodes, as the node planner is told: what it cannot do is refused"
    parser.add_argument("--dialect", choices=sorted(providers.PROVIDERS), help=text)
    text = (
        "the nodes cannot mount images (before Kubernetes 1.36 and containerd 2.1):"
        " init containers copy weights and adapters out of them, which takes a `cp` in each image"
    )
    parser.add_argument("--no-image-volumes", action="store_false", dest="image_volumes", help=text)
    text = (
        "our kube-scheduler (deploy/manifests/scheduler.yaml), which pods without a scheduler of"
        " their own are given to (%(default)s); empty: the cluster does not run it"
    )
    parser.add_argument("--scheduler", default=scheduling.SCHEDULER, metavar="NAME", help=text)
