"""The order in which a cluster starts; runs inside its daemon."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from deploy.local import (
    api,
    components,
    control_plane,
    machines,
    manifests,
    network,
    paths,
    pki,
    scheduling,
    settings,
)
from deploy.local.failures import CannotRun
from deploy.local.images import registry, runtime_image
from deploy.local.processes import Supervisor
from presets import images

MANIFESTS = ("namespace", "scheduler", "node-provisioner", "controller", "admission-policy")
"""Installed as they are; the webhook's needs an address."""
SCHEDULER_PORT, EXTENDER_PORT = 10269, 8888
READY_SECONDS = 60

Step = Callable[[str], None]
"""Takes the name of the step that begins."""


def boot(loaded: settings.Settings, supervisor: Supervisor, step: Step) -> None:
    """Starts everything; returns when a Pod could be created and the webhook would see it.

    Raises:
        CannotRun: a part did not come up.
    """
    step("network and certificates")
    inside = network.inside(loaded.network.namespace)
    network.create_cluster(loaded.network)
    plane = loaded.plane()
    hosts = (
        loaded.network.node_ip,
        loaded.network.kubernetes_service_ip,
        *("127.0.0.1", "localhost"),
        *("kubernetes", "kubernetes.default", "kubernetes.default.svc"),
    )
    made = control_plane.write_configuration(plane, loaded.files.kubeconfig, hosts)
    made.issue("webhook", "plainsail-webhook", hosts=(loaded.network.node_ip,))
    with ThreadPoolExecutor() as pool:
        stored = pool.submit(_registry_with_images, loaded, supervisor)
        supervisor.start("webhook", _webhook(loaded), prefix=inside, environment=_environment())
        step("etcd and API server")
        client = control_plane.start_api(plane, supervisor, loaded.files.kubeconfig, inside)
        step("controllers, first machine, programs")
        control_plane.start_controllers(plane, supervisor, inside)
        (plane.etc / "kube-proxy.json").write_text(
            components.kube_proxy_config(plane, loaded.network.pod_cidr)
        )
        proxy = components.kube_proxy(plane, settings.SYSTEM_MACHINE)
        supervisor.start("kube-proxy", proxy, prefix=inside)
        stored.result()
        machines.create(loaded.site(), machines.Machine(settings.SYSTEM_MACHINE), index=0)
        control_plane.install_crds(client)
        manifests.install(client, *MANIFESTS)
        for name, argv in _programs(loaded).items():
            supervisor.start(name, argv, prefix=inside, environment=_environment())
        pair = control_plane.pair(plane, SCHEDULER_PORT, EXTENDER_PORT)
        scheduling.start(pair, supervisor, prefix=inside, environment=_environment())
        step("webhook and first node")
        _register_webhook(client, loaded, made)
        _wait(lambda: _has_account(client), "the default ServiceAccount")
        _wait(lambda: _is_ready(client, settings.SYSTEM_MACHINE), "the first node")


def _registry_with_images(loaded: settings.Settings, supervisor: Supervisor) -> None:
    host = loaded.network.node_ip
    address = f"http://{host}:{settings.REGISTRY_PORT}"
    config = loaded.files.etc / "registry.yaml"
    config.write_text(registry.configuration(loaded.registry_storage, host, settings.REGISTRY_PORT))
    hosts = loaded.registry_hosts / "_default" / "hosts.toml"
    hosts.parent.mkdir(parents=True)
    hosts.write_text(registry.hosts_toml(address))
    supervisor.start(
        "registry",
        registry.command(loaded.registry, config),
        prefix=network.inside(loaded.network.namespace),
    )
    registry.wait(address, READY_SECONDS)
    for image in (
        runtime_image.pause(settings.SANDBOX_IMAGE),
        runtime_image.build(images.RUNTIME_IMAGE, paths.REPOSITORY, paths.cache(), lambda _: None),
    ):
        registry.push(image, address)


def _environment() -> dict[str, str]:
    """What our programs see of the environment: no proxies, no keys of whoever ran `up`."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return {**kept, "PYTHONPATH": str(paths.REPOSITORY), "PYTHONUNBUFFERED": "1"}


def _webhook(loaded: settings.Settings) -> list[str]:
    return [
        *(sys.executable, "-m", "webhook", "serve"),
        f"--host={loaded.network.node_ip}",
        f"--port={settings.WEBHOOK_PORT}",
        f"--tls-cert={loaded.files.pki / 'webhook.crt'}",
        f"--tls-key={loaded.files.pki / 'webhook.key'}",
        "--dialect=local",
        "--no-image-volumes",  # containerd below 2.1 fails the container
    ]


def _programs(loaded: settings.Settings) -> dict[str, list[str]]:
    """The programs that need the API server."""
    etc = loaded.files.etc
    return {
        "machine-provider": [
            *(sys.executable, "-m", "deploy.local.provider"),
            str(loaded.files.settings),
        ],
        "node-provisioner": [
            *(sys.executable, "-m", "node_provisioner"),
            f"--kubeconfig={etc / 'node-provisioner.kubeconfig'}",
            "--dialect=local",
            f"--idle-ttl={loaded.idle_ttl_seconds}s",
        ],
        "controller": [
            *(sys.executable, "-m", "controller"),
            f"--kubeconfig={etc / 'controller.kubeconfig'}",
        ],
    }


def _register_webhook(client: api.Api, loaded: settings.Settings, made: pki.Pki) -> None:
    """The shipped configuration, with a URL instead of a Service: the webhook is no pod here."""
    address = f"https://{loaded.network.node_ip}:{settings.WEBHOOK_PORT}"
    _wait(lambda: api.answers(f"{address}/readyz", made.authority.certificate_pem), "the webhook")
    for document in manifests.webhook(address, made.authority.certificate_pem):
        client.apply(api.path_of(document), document)


def _has_account(client: api.Api) -> bool:
    try:
        client.get("/api/v1/namespaces/default/serviceaccounts/default")
    except api.NotFound:
        return False
    return True


def _is_ready(client: api.Api, node: str) -> bool:
    try:
        conditions = client.get(f"/api/v1/nodes/{node}")["status"].get("conditions", [])
    except api.NotFound:
        return False
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _wait(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise CannotRun(f"{what} was not there within {READY_SECONDS} s")
        time.sleep(0.05)
