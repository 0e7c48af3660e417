"""Many creates at once through a real API server: how long each waits."""

import asyncio
import contextlib
import ssl
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.comparison import servers
from deploy.local import api as apis
from deploy.local import binaries, control_plane, manifests

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
    with control_plane.temporary(programs) as kubeconfig, apis.Api(kubeconfig) as api:
        api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        server, trust = apis.credentials(kubeconfig)
        url = urllib.parse.urlsplit(server)
        yield Plane(api, (url.hostname or "", url.port or 0), trust)


def configure(api: apis.Api, port: int, authority: bytes) -> None:
    """Have the API server call the webhook on `port` for labelled workloads; wait until it does."""
    for document in manifests.webhook(f"https://{servers.HOST}:{port}", authority):
        api.apply(apis.path_of(document), document)
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
