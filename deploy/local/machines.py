"""Machines: real containerd and kubelet in namespaces of their own; made, found again, removed."""

import contextlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import cgroups, components, network, paths, pki, processes
from deploy.local.failures import CannotRun

CNI_DIRECTORIES = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")


@dataclass(frozen=True)
class Site:
    """What every machine of one cluster shares."""

    files: paths.ClusterPaths
    network: network.Network
    binaries: Path
    server: str
    sandbox_image: str
    registry_hosts: Path


@dataclass(frozen=True)
class Machine:
    """What makes one machine different from the next."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    provider_id: str = ""
    device_plugin: Sequence[str] = ()
    """Command line of the device plugin; none for a machine without GPUs."""


def create(site: Site, machine: Machine, index: int) -> None:
    """Boots `machine` as number `index`; returns as soon as its process 1 runs.

    Index 0 lives in the cluster's own network namespace, every other one gets a namespace.
    """
    directory = site.files.machines / machine.name
    (directory / "cni").mkdir(parents=True, exist_ok=True)
    if index:
        network.create_machine(site.network, index)
    cgroups.create(cgroups.path(site.files.name, machine.name))
    _write_files(site, machine, index, directory)
    command = [
        *network.inside(site.network.machine_namespace(index)),
        *("unshare", "--mount", "--propagation", "private", "--pid", "--fork"),
        "--kill-child=SIGKILL",
        *(sys.executable, "-m", "deploy.local.machine_init", str(directory)),
    ]
    process = processes.start_detached(command, directory / "init.log")
    record = {"index": index, "pid": process.pid}
    (directory / "machine.json").write_text(json.dumps(record))


def remove(site: Site, name: str) -> None:
    """Removes machine `name` and everything of it; half of one is fine."""
    directory = site.files.machines / name
    record = _record(directory)
    if record.get("index"):
        namespace = site.network.machine_namespace(record["index"])
        processes.kill([*_own_pid(directory, record), *processes.in_namespaces([namespace])])
        network.delete([namespace])
    else:
        processes.kill(_own_pid(directory, record))
    cgroups.remove(cgroups.path(site.files.name, name))
    shutil.rmtree(directory, ignore_errors=True)


def existing(site: Site) -> list[str]:
    """Names of machines that have files, alive or not."""
    if not site.files.machines.is_dir():
        return []
    return sorted(p.name for p in site.files.machines.iterdir() if p.is_dir())


def is_alive(site: Site, name: str) -> bool:
    """Whether the process 1 of machine `name` runs."""
    directory = site.files.machines / name
    return bool(_own_pid(directory, _record(directory)))


def free_index(site: Site) -> int:
    """The lowest number from 1 that no machine has.

    Raises:
        CannotRun: every number is taken.
    """
    taken = {_record(site.files.machines / name).get("index") for name in existing(site)}
    namespaces = set(network.existing(site.files.name))
    for index in range(1, network.MACHINES + 1):
        if index not in taken and site.network.machine_namespace(index) not in namespaces:
            return index
    raise CannotRun(f"all {network.MACHINES} machines of cluster {site.files.name} are taken")


def cni_directory() -> str:
    """Where the distribution keeps the CNI plugins.

    Raises:
        CannotRun: nowhere.
    """
    for directory in CNI_DIRECTORIES:
        if (Path(directory) / "bridge").exists():
            return directory
    raise CannotRun(
        f"no CNI plugins in {', '.join(CNI_DIRECTORIES)}",
        "install the package containernetworking-plugins",
    )


def _write_files(site: Site, machine: Machine, index: int, directory: Path) -> None:
    ip = site.network.machine_ip(index)
    certificates = pki.load(site.files.pki, site.server)
    leaf = certificates.authority.issue(machine.name, now=pki.now(), hosts=(ip, machine.name))
    pki.write(directory / "kubelet.crt", leaf.certificate_pem)
    pki.write(directory / "kubelet.key", leaf.key_pem)
    user = f"system:node:{machine.name}"
    certificates.kubeconfig(directory / "kubeconfig", machine.name, user, "system:nodes")
    resolver = directory / "resolv.conf"
    resolver.write_text(f"nameserver {site.network.dns_ip}\noptions timeout:1 attempts:1\n")
    described = components.Machine(
        node_name=machine.name,
        ip=ip,
        pod_cidr=site.network.machine_pods(index),
        directory=directory,
        cgroup=cgroups.path(site.files.name, machine.name),
        binaries=site.binaries,
        ca=site.files.pki / "ca.crt",
        labels=machine.labels,
        dns=site.network.dns_ip,
        taints=machine.taints,
        provider_id=machine.provider_id,
        sandbox_image=site.sandbox_image,
    )
    (directory / "kubelet.json").write_text(components.kubelet_config(described))
    (directory / "cni" / "10-plainsail.conflist").write_text(components.cni_config(described))
    (directory / "containerd.toml").write_text(
        components.containerd_config(described, cni_directory(), site.registry_hosts)
    )
    init = {
        "first": {
            "containerd": ["containerd", "--config", str(directory / "containerd.toml")],
            **({"device-plugin": list(machine.device_plugin)} if machine.device_plugin else {}),
        },
        "socket": "/run/containerd/containerd.sock",
        "then": {"kubelet": components.kubelet(described)},
    }
    (directory / "init.json").write_text(json.dumps(init))


def _record(directory: Path) -> dict[str, int]:
    with contextlib.suppress(OSError, ValueError):
        record: dict[str, int] = json.loads((directory / "machine.json").read_text())
        return record
    return {}


def _own_pid(directory: Path, record: Mapping[str, int]) -> list[int]:
    """The machine's outermost process; a pid that another program has by now is not it."""
    pid = record.get("pid", 0)
    if not pid or not processes.alive(pid):
        return []
    with contextlib.suppress(OSError):
        if str(directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return [pid]
    return []
