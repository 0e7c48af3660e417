"""What is decided by, beside the object: presets, and what the webhook was told of its cluster."""

from dataclasses import dataclass

from presets import catalog, providers, runtime_args, scheduling
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
