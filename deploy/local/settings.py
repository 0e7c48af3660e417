"""What a cluster was started with: written by `up`, read by the cluster's own processes."""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local import components, machines, network, paths

SYSTEM_MACHINE = "system"
"""The machine without GPUs, in the control plane's own network namespace."""
SANDBOX_IMAGE = "registry.k8s.io/pause:3.10"
APISERVER_PORT, REGISTRY_PORT, WEBHOOK_PORT = 6443, 5000, 9443
TORCH_IN_POD, HUB_IN_POD, APP_IN_POD = (
    "/opt/plainsail/torch",
    "/opt/plainsail/hub",
    "/opt/plainsail/app",
)


@dataclass(frozen=True)
class Settings:
    """One cluster."""

    name: str
    octet: int
    binaries: Path
    registry: Path
    """Executable of the registry."""
    registry_storage: Path
    torch_stack: Path
    hub_cache: Path
    idle_ttl_seconds: int
    """How long a bought machine stays when no pod needs it."""
    no_spot: tuple[str, ...] = ()
    """Instance types of which no spot machine can be had."""

    @property
    def files(self) -> paths.ClusterPaths:
        """Where this cluster's files are."""
        return paths.cluster(self.name)

    @property
    def network(self) -> network.Network:
        """This cluster's addresses."""
        return network.Network(self.name, self.octet)

    @property
    def registry_hosts(self) -> Path:
        """Registry configuration of containerd: every name comes from our registry."""
        return self.files.etc / "registry-hosts"

    def plane(self) -> components.ControlPlane:
        """The control plane, in its own network namespace: default ports."""
        return components.ControlPlane(
            address=self.network.node_ip,
            service_cidr=self.network.service_cidr,
            port=APISERVER_PORT,
            etcd_port=2379,
            etcd_peer_port=2380,
            controller_manager_port=10257,
            scheduler_port=10259,
            pki=self.files.pki,
            etc=self.files.etc,
            data=self.files.root / "data",
            binaries=self.binaries,
        )

    def site(self) -> machines.Site:
        """What the machines of this cluster share."""
        return machines.Site(
            files=self.files,
            network=self.network,
            binaries=self.binaries,
            server=self.plane().url,
            sandbox_image=SANDBOX_IMAGE,
            registry_hosts=self.registry_hosts,
        )

    def device_plugin(self, gpus: int) -> list[str]:
        """Command line of the device plugin of a machine with `gpus` GPUs.

        What a GPU driver does for CUDA's libraries it does for the torch stack, and for stand-in
        weights in the layout of the model hub's cache: read-only mounts in every GPU container.
        """
        return [
            *(sys.executable, "-m", "deploy.local.device_plugin"),
            f"--gpus={gpus}",
            f"--mount={TORCH_IN_POD}={self.torch_stack}",
            f"--mount={HUB_IN_POD}={self.hub_cache}",
            f"--env=PYTHONPATH={APP_IN_POD}:{TORCH_IN_POD}",
            f"--env=HF_HUB_CACHE={HUB_IN_POD}",
            "--env=HF_HUB_OFFLINE=1",
        ]


def save(settings: Settings) -> None:
    """Writes `settings` to the cluster's directory."""
    raw = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in dataclasses.asdict(settings).items()
    }
    settings.files.settings.write_text(json.dumps(raw, indent=1))


def load(path: Path) -> Settings:
    """The settings in `path`, which an older version may have written."""
    raw = json.loads(path.read_text())
    directories = ("binaries", "registry", "registry_storage", "torch_stack", "hub_cache")
    paths_ = {key: Path(raw[key]) for key in directories}
    return Settings(**{**raw, **paths_, "no_spot": tuple(raw.get("no_spot", ()))})
