"""Command lines and configuration of the Kubernetes programs: pure.

Flags that are here for a reason that is not obvious carry it; sources are the programs' own
reference and what was measured with 1.36.3.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ControlPlane:
    """Where a control plane listens and keeps its files."""

    address: str
    """IP address of the API server."""
    service_cidr: str
    port: int
    etcd_port: int
    etcd_peer_port: int
    controller_manager_port: int
    scheduler_port: int
    pki: Path
    etc: Path
    data: Path
    binaries: Path

    @property
    def url(self) -> str:
        """Base URL of the API server."""
        return f"https://{self.address}:{self.port}"


def etcd(plane: ControlPlane) -> list[str]:
    """One etcd member on loopback."""
    return [
        str(plane.binaries / "etcd"),
        f"--data-dir={plane.data / 'etcd'}",
        f"--client-port={plane.etcd_port}",
        f"--peer-port={plane.etcd_peer_port}",
        "--unsafe-no-fsync",
    ]


def kube_apiserver(plane: ControlPlane) -> list[str]:
    """The API server."""
    pki = plane.pki
    return [
        str(plane.binaries / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{plane.etcd_port}",
        f"--bind-address={plane.address}",
        f"--advertise-address={plane.address}",
        f"--secure-port={plane.port}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--service-cluster-ip-range={plane.service_cidr}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'sa.pub'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        # Node names resolve nowhere here; without this, logs and exec look them up.
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
        # A loopback address may not be an endpoint of the Service `kubernetes`.
        f"--endpoint-reconciler-type={'none' if plane.address.startswith('127.') else 'lease'}",
        "--profiling=false",
    ]


def kube_controller_manager(plane: ControlPlane, without: Sequence[str] = ()) -> list[str]:
    """The controllers, ServiceAccount and garbage collection among them, but for `without`."""
    kubeconfig = plane.etc / "kube-controller-manager.kubeconfig"
    return [
        str(plane.binaries / "kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.controller_manager_port}",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--controllers={','.join(('*', *(f'-{name}' for name in without)))}",
        f"--service-account-private-key-file={plane.pki / 'sa.key'}",
        f"--root-ca-file={plane.pki / 'ca.crt'}",
        f"--cert-dir={plane.data / 'controller-manager'}",
        # As root it would make /usr/libexec/kubernetes.
        f"--flex-volume-plugin-dir={plane.data / 'volume-plugins'}",
        # With the default of 20 a second a new cluster waits five seconds for its ServiceAccounts.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
    ]


def kube_scheduler(plane: ControlPlane) -> list[str]:
    """The default scheduler."""
    kubeconfig = plane.etc / "kube-scheduler.kubeconfig"
    return [
        str(plane.binaries / "kube-scheduler"),
        f"--config={plane.etc / 'kube-scheduler.json'}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.scheduler_port}",
        f"--cert-dir={plane.data / 'scheduler'}",
    ]


def kube_scheduler_config(plane: ControlPlane) -> str:
    """KubeSchedulerConfiguration as JSON, which is YAML."""
    return json.dumps(
        {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "clientConnection": {"kubeconfig": str(plane.etc / "kube-scheduler.kubeconfig")},
            "leaderElection": {"leaderElect": False},
            "enableProfiling": False,
        }
    )


def kube_proxy(plane: ControlPlane, node_name: str) -> list[str]:
    """kube-proxy for the namespace that every machine routes its Service traffic through."""
    return [
        str(plane.binaries / "kube-proxy"),
        f"--config={plane.etc / 'kube-proxy.json'}",
        f"--hostname-override={node_name}",
    ]


def kube_proxy_config(plane: ControlPlane, pod_cidr: str) -> str:
    """KubeProxyConfiguration as JSON."""
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(plane.etc / "kube-proxy.kubeconfig")},
            "mode": "nftables",
            "clusterCIDR": pod_cidr,
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            # A Service answers a third of a second after its pod is Ready instead of a full one.
            "nftables": {"minSyncPeriod": "100ms"},
            # Zero and null: leave the host's conntrack settings alone.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }
    )


@dataclass(frozen=True)
class Machine:
    """One node: names, addresses and files, as its own mount namespace sees them."""

    node_name: str
    ip: str
    pod_cidr: str
    directory: Path
    """The machine's files on the host."""
    cgroup: str
    """Its cgroup below every hierarchy, `/plainsail/NAME/MACHINE`."""
    binaries: Path
    ca: Path
    labels: Mapping[str, str]
    dns: str
    """Address of the cluster DNS, as pods are told."""
    taints: tuple[Mapping[str, str], ...] = ()
    provider_id: str = ""
    sandbox_image: str = ""


def kubelet(machine: Machine) -> list[str]:
    """The kubelet; paths are the defaults, private by the machine's mount namespace."""
    labels = ",".join(f"{key}={value}" for key, value in machine.labels.items())
    return [
        str(machine.binaries / "kubelet"),
        f"--config={machine.directory / 'kubelet.json'}",
        f"--kubeconfig={machine.directory / 'kubeconfig'}",
        "--root-dir=/var/lib/kubelet",
        f"--hostname-override={machine.node_name}",
        f"--node-ip={machine.ip}",
        f"--cert-dir={machine.directory / 'kubelet-pki'}",
        *([f"--node-labels={labels}"] if labels else []),
    ]


def kubelet_config(machine: Machine) -> str:
    """KubeletConfiguration as JSON."""
    config: dict[str, object] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.ip,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(machine.ca)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(machine.directory / "kubelet.crt"),
        "tlsPrivateKeyFile": str(machine.directory / "kubelet.key"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": machine.cgroup,
        # Both cgroup versions are fine for a cluster that lives for an afternoon.
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        # Nothing answers there yet: a look-up fails at once instead of reaching the host's DNS.
        "resolvConf": str(machine.directory / "resolv.conf"),
        "clusterDNS": [machine.dns],
        "clusterDomain": "cluster.local",
        "podLogsDir": "/var/log/pods",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "64Mi",
            "imagefs.available": "64Mi",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "serializeImagePulls": False,
        # The kubelet would set host-wide sysctls; machine_init binds the wanted values over them.
        "protectKernelDefaults": True,
        "providerID": machine.provider_id,
        "registerWithTaints": [dict(taint) for taint in machine.taints],
        # A local cluster is watched by people: report a Ready pod at once, not within ten seconds.
        "syncFrequency": "10s",
        "nodeStatusUpdateFrequency": "4s",
    }
    return json.dumps(config)


def containerd_config(machine: Machine, cni_binaries: str, registry_hosts: Path) -> str:
    """Configuration of containerd, version 2 (containerd 1.6 and 1.7)."""
    return f"""version = 2
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.internal.v1.opt",
]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{machine.sandbox_image}"
  # Without CAP_SYS_RESOURCE runc cannot lower a pod's OOM score below its parent's.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_binaries}"
    conf_dir = "{machine.directory / "cni"}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    discard_unpacked_layers = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{registry_hosts}"
"""


def cni_config(machine: Machine) -> str:
    """A bridge with host-local addresses, and port mappings."""
    return json.dumps(
        {
            "cniVersion": "1.0.0",
            "name": "plainsail",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "cni0",
                    "isGateway": True,
                    "ipMasq": False,
                    "hairpinMode": True,
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[{"subnet": machine.pod_cidr}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        }
    )
