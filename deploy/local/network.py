"""Addresses and network namespaces of one cluster.

A cluster owns one /16 and one route on the host. Inside it, for cluster 10.B.0.0/16:

    10.B.0.0/30        host (.1) to the cluster's namespace (.2), which holds the control plane
    10.B.i.0/30        cluster's namespace (.1) to machine i (.2), i in 1..99
    10.B.(100+i).0/24  pods of machine i; machine 0 is the cluster's namespace itself
    10.B.224.0/19      Services
"""

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.failures import CannotRun

FIRST_OCTET, LAST_OCTET = 99, 126
"""Second octets tried for clusters, the first free one wins: 28 clusters side by side."""
MACHINES = 99
"""Machines per cluster that the plan has addresses for."""
NAMESPACES = Path("/run/netns")


@dataclass(frozen=True)
class Network:
    """The addresses of a cluster."""

    cluster: str
    octet: int

    @property
    def cidr(self) -> str:
        """Everything of this cluster: one route on the host."""
        return f"10.{self.octet}.0.0/16"

    @property
    def pod_cidr(self) -> str:
        """A range that holds every pod, for kube-proxy."""
        return self.cidr

    @property
    def host_ip(self) -> str:
        """The host's end of the uplink."""
        return f"10.{self.octet}.0.1"

    @property
    def node_ip(self) -> str:
        """Address of the control plane, the registry and the webhook."""
        return f"10.{self.octet}.0.2"

    @property
    def service_cidr(self) -> str:
        """Addresses of Services."""
        return f"10.{self.octet}.224.0/19"

    @property
    def kubernetes_service_ip(self) -> str:
        """The API server's own Service: the first address of the range."""
        return f"10.{self.octet}.224.1"

    @property
    def dns_ip(self) -> str:
        """Where a cluster DNS would answer; nothing does yet, and looking it up fails at once."""
        return f"10.{self.octet}.224.10"

    @property
    def namespace(self) -> str:
        """Network namespace of the control plane and machine 0."""
        return f"plainsail.{self.cluster}"

    @property
    def host_link(self) -> str:
        """Interface on the host."""
        return f"plainsail{self.octet}"

    def machine_namespace(self, index: int) -> str:
        """Network namespace of machine `index`."""
        return self.namespace if index == 0 else f"{self.namespace}.{index}"

    def machine_ip(self, index: int) -> str:
        """Address of machine `index`."""
        return self.node_ip if index == 0 else f"10.{self.octet}.{index}.2"

    def machine_gateway(self, index: int) -> str:
        """The cluster's end of the link to machine `index`."""
        return f"10.{self.octet}.{index}.1"

    def machine_pods(self, index: int) -> str:
        """Addresses of the pods on machine `index`."""
        return f"10.{self.octet}.{100 + index}.0/24"


def free_octet() -> int:
    """Second octet of a 10.B.0.0/16 that no route of the host overlaps.

    Raises:
        CannotRun: all of them are taken.
    """
    routes = json.loads(_ip("-j", "route", "show", "table", "all"))
    taken = [network for route in routes for network in _networks(str(route.get("dst", "")))]
    for octet in range(FIRST_OCTET, LAST_OCTET + 1):
        ours = ipaddress.ip_network(f"10.{octet}.0.0/16")
        if not any(ours.overlaps(network) for network in taken):
            return octet
    raise CannotRun(
        f"every network from 10.{FIRST_OCTET}.0.0/16 to 10.{LAST_OCTET}.0.0/16 is taken by a route",
        "see `ip route`; `python -m deploy.local down --name NAME` frees a cluster's",
    )


def _networks(destination: str) -> list[ipaddress.IPv4Network]:
    try:
        network = ipaddress.IPv4Network(destination)
    except ValueError:
        return []
    # The default route overlaps everything and takes nothing.
    return [network] if network.prefixlen else []


def create_cluster(network: Network) -> None:
    """The cluster's namespace, its uplink and the host's one route."""
    inside, link = network.namespace, network.host_link
    _ip("netns", "add", inside)
    _batch(
        [
            f"link add {link} type veth peer name uplink netns {inside}",
            f"address add {network.host_ip}/30 dev {link}",
            f"link set {link} up",
            f"route add {network.cidr} via {network.node_ip}",
        ]
    )
    _batch(
        [
            "link set lo up",
            f"address add {network.node_ip}/30 dev uplink",
            "link set uplink up",
            f"route add default via {network.host_ip}",
        ],
        inside,
    )
    _forward(inside)


def create_machine(network: Network, index: int) -> None:
    """The namespace of machine `index`, linked to the cluster's."""
    inside = network.machine_namespace(index)
    _ip("netns", "add", inside)
    _batch(
        [
            f"link add machine{index} type veth peer name uplink netns {inside}",
            f"address add {network.machine_gateway(index)}/30 dev machine{index}",
            f"link set machine{index} up",
            f"route add {network.machine_pods(index)} via {network.machine_ip(index)}",
        ],
        network.namespace,
    )
    _batch(
        [
            "link set lo up",
            f"address add {network.machine_ip(index)}/30 dev uplink",
            "link set uplink up",
            f"route add default via {network.machine_gateway(index)}",
        ],
        inside,
    )
    _forward(inside)


def delete(namespaces: Iterable[str]) -> None:
    """Deletes network namespaces, and with them their links and routes on both ends."""
    for namespace in namespaces:
        subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)


def existing(cluster: str) -> list[str]:
    """Namespaces of `cluster` that exist, machines first."""
    own = f"plainsail.{cluster}"
    if not NAMESPACES.is_dir():
        return []
    names = [p.name for p in NAMESPACES.iterdir() if p.name == own or p.name.startswith(own + ".")]
    return sorted(names, key=lambda name: (name == own, name))


def inside(namespace: str) -> list[str]:
    """Start of a command line that runs in `namespace`, with the host's mounts as they are.

    Not `ip netns exec`: that remounts /sys and hides the cgroup hierarchies.
    """
    return ["nsenter", f"--net={NAMESPACES / namespace}"]


def _forward(namespace: str) -> None:
    write = "echo 1 > /proc/sys/net/ipv4/ip_forward"
    subprocess.run([*inside(namespace), "sh", "-c", write], check=True, capture_output=True)


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def _batch(commands: list[str], namespace: str = "") -> None:
    start = inside(namespace) if namespace else []
    done = subprocess.run(
        [*start, "ip", "-batch", "-"],
        input="\n".join(commands),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotRun(f"network set-up failed: {done.stderr.strip()}")
