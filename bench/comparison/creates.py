"""Many creates at once through a real API server: how long each waits."""

import asyncio
import base64
import contextlib
import json
import ssl
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.comparison import servers
from deploy.local import api as apis
from deploy.local import binaries, control_plane, manifests

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "manifests" / "webhook.yaml"
NAMESPACE = "bench"
COLLECTION = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
CREATED = 201
_WAIT_SECONDS = 30.0

Object = dict[str, Any]


@dataclass(frozen=True)
class Plane:
    """A control plane with an empty namespace."""

    api: apis.Api
    address: tuple[str, int]
    trust: ssl.SSLContext


@contextlib.contextmanager
def plane() -> Iterator[Plane]:
    """A real etcd, API server and controllers on the loopback, without root."""
    programs = binaries.binaries(lambda _: None)
    with (
        tempfile.TemporaryDirectory() as directory,
        control_plane.rootless(Path(directory), programs) as kubeconfig,
        apis.Api(kubeconfig) as api,
    ):
        api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        yield Plane(api, *_administrator(kubeconfig))


def _administrator(kubeconfig: Path) -> tuple[tuple[str, int], ssl.SSLContext]:
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile() as pair:  # the ssl module takes a pair from files only
        pair.write(base64.b64decode(user["client-certificate-data"]))
        pair.write(base64.b64decode(user["client-key-data"]))
        pair.flush()
        context.load_cert_chain(pair.name)
    url = urllib.parse.urlsplit(cluster["server"])
    return (url.hostname or "", url.port or 0), context


def configure(api: apis.Api, port: int, authority: bytes) -> None:
    """Have the API server call the webhook on `port` for labelled workloads; wait until it does."""
    (configuration,) = manifests.read(CONFIGURATION)
    for hook in configuration["webhooks"]:
        hook["clientConfig"] = {
            "url": f"https://{servers.HOST}:{port}/mutate",
            "caBundle": base64.b64encode(authority).decode(),
        }
    api.apply(apis.path_of(configuration), configuration)
    probe = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probe", "labels": {"kaito.sh/preset": "tiny-chat"}},
    }
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(apis.Refused):
            api.create(f"{COLLECTION}?dryRun=All", probe)
            return
        time.sleep(0.1)
    raise RuntimeError("the API server does not call the webhook")


async def seconds(of: Plane, bodies: Sequence[bytes]) -> list[float]:
    """The wait of each of `bodies`, all sent at once on connections that are open already."""
    host, port = of.address
    connections = [
        await asyncio.open_connection(host, port, ssl=of.trust, server_hostname=host)
        for _ in bodies
    ]
    try:
        return await asyncio.gather(
            *(_wait(*pair, body) for pair, body in zip(connections, bodies, strict=True))
        )
    finally:
        for _, writer in connections:
            writer.close()


async def _wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> float:
    begun = time.perf_counter()
    writer.write(servers.request(COLLECTION, body))
    head = await reader.readuntil(b"\r\n\r\n")
    waited = time.perf_counter() - begun
    if int(head[9:12]) != CREATED:
        raise RuntimeError(f"not created: {head[:80]!r} {await reader.read(2000)!r}")
    return waited


def clear(of: Plane) -> None:
    """Take every workload away again, so that no round finds more of them than the last."""
    of.api.delete(f"{COLLECTION}?propagationPolicy=Background")
    while of.api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets?limit=1")["items"]:
        time.sleep(0.2)
