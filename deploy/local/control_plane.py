"""Etcd, API server, controllers and scheduler, started in order, by root or by anybody."""

import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.local import components, manifests, pki, scheduling
from deploy.local.api import Api
from deploy.local.failures import CannotRun
from deploy.local.processes import Supervisor

CRDS = Path(__file__).parent / "crds"
"""Karpenter's own CustomResourceDefinitions, from its Go module; see NOTICE."""
READY_SECONDS = 60
NODE_CONTROLLERS = ("node-lifecycle-controller", "taint-eviction-controller")
"""What marks a node without a heart beat, and takes its pods away."""


def write_configuration(
    plane: components.ControlPlane, kubeconfig: Path, hosts: tuple[str, ...]
) -> pki.Pki:
    """PKI, kubeconfigs and configuration of `plane`; the administrator's goes to `kubeconfig`."""
    for directory in (plane.etc, plane.data):
        directory.mkdir(parents=True, exist_ok=True)
    made = pki.create(plane.pki, plane.url, hosts)
    for name, (user, group) in pki.CLIENTS.items():
        path = kubeconfig if name == "admin" else plane.etc / f"{name}.kubeconfig"
        made.kubeconfig(path, name, user, group)
    (plane.etc / "kube-scheduler.json").write_text(components.kube_scheduler_config(plane))
    return made


def start_api(
    plane: components.ControlPlane,
    supervisor: Supervisor,
    kubeconfig: Path,
    prefix: Sequence[str] = (),
) -> Api:
    """Starts etcd and the API server; returns when it is ready.

    Raises:
        CannotRun: it is not ready within a minute.
    """
    supervisor.start("etcd", components.etcd(plane), prefix=prefix)
    supervisor.start("kube-apiserver", components.kube_apiserver(plane), prefix=prefix)
    api = Api(kubeconfig)
    deadline = time.monotonic() + READY_SECONDS
    while not api.ready():
        if time.monotonic() > deadline:
            raise CannotRun(
                f"the API server was not ready within {READY_SECONDS} s",
                "its last words are in logs/kube-apiserver.log of the cluster's directory",
            )
        time.sleep(0.05)
    return api


def start_controllers(
    plane: components.ControlPlane,
    supervisor: Supervisor,
    prefix: Sequence[str] = (),
    *,
    without: Sequence[str] = (),
) -> None:
    """Starts controller-manager and scheduler; the first exits unless the API server is ready."""
    controllers = components.kube_controller_manager(plane, without)
    supervisor.start("kube-controller-manager", controllers, prefix=prefix)
    supervisor.start("kube-scheduler", components.kube_scheduler(plane), prefix=prefix)


def install_crds(api: Api) -> None:
    """Creates Karpenter's definitions and waits until the API server serves them."""
    definitions = [d for file in sorted(CRDS.glob("*.yaml")) for d in manifests.read(file)]
    for definition in definitions:
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        api.apply(f"{path}/{definition['metadata']['name']}", definition)
    deadline = time.monotonic() + READY_SECONDS
    for definition in definitions:
        spec = definition["spec"]
        collection = (
            f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
        )
        while not _served(api, collection):
            if time.monotonic() > deadline:
                raise CannotRun(f"the API server does not serve {collection}")
            time.sleep(0.05)


def _served(api: Api, collection: str) -> bool:
    with contextlib.suppress(Exception):  # 404 until it is served, and for moments other errors
        api.get(collection + "?limit=1")
        return True
    return False


@contextlib.contextmanager
def rootless(
    directory: Path, programs: Path, *, own_scheduler: bool = False, lasting_nodes: bool = False
) -> Iterator[Path]:
    """A control plane on 127.0.0.1 for tests, without root; yields the admin kubeconfig.

    Its files lie in `directory`; everything ends with the block, or with this process. With
    `own_scheduler` our kube-scheduler and its extender run beside the default one. With
    `lasting_nodes` a node stays as it is though nobody sends its heart beat.
    """
    plane = _loopback(directory, programs)
    kubeconfig = directory / "kubeconfig"
    logs = directory / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    write_configuration(plane, kubeconfig, ("127.0.0.1", "localhost", "10.96.0.1"))
    supervisor = Supervisor(logs)
    try:
        api = start_api(plane, supervisor, kubeconfig)
        start_controllers(plane, supervisor, without=NODE_CONTROLLERS if lasting_nodes else ())
        install_crds(api)
        if own_scheduler:
            manifests.install(api, "namespace", "scheduler")
            scheduling.start(pair(plane, *free_ports(2)), supervisor)
        api.close()
        yield kubeconfig
    finally:
        supervisor.stop(grace_seconds=0.2)
        shutil.rmtree(plane.data, ignore_errors=True)


@contextlib.contextmanager
def temporary(
    programs: Path, *, own_scheduler: bool = False, lasting_nodes: bool = False
) -> Iterator[Path]:
    """As `rootless`, in a directory of its own that goes with it: the kubeconfig's."""
    with (
        tempfile.TemporaryDirectory(prefix="plainsail-") as directory,
        rootless(
            Path(directory), programs, own_scheduler=own_scheduler, lasting_nodes=lasting_nodes
        ) as kubeconfig,
    ):
        yield kubeconfig


def pair(plane: components.ControlPlane, port: int, extender_port: int) -> scheduling.Pair:
    """Our scheduler and extender on those ports, as the ServiceAccount of their manifest."""
    kubeconfig = plane.etc / scheduling.KUBECONFIG
    return scheduling.Pair(plane.binaries, kubeconfig, plane.etc, port, extender_port)


def _loopback(directory: Path, programs: Path) -> components.ControlPlane:
    ports = free_ports(5)
    return components.ControlPlane(
        address="127.0.0.1",
        service_cidr="10.96.0.0/16",
        port=ports[0],
        etcd_port=ports[1],
        etcd_peer_port=ports[2],
        controller_manager_port=ports[3],
        scheduler_port=ports[4],
        pki=directory / "pki",
        etc=directory / "etc",
        data=directory / "data",
        binaries=programs,
    )


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports
