"""One question to the extender: the wait of the scheduler for its answer, on a kept connection."""

import http.client
import json
import statistics
import time

import psutil

from bench.placement import cluster
from bench.report import Figure, p99
from deploy.local import claims

NODES = 5000
SAMPLE = 500
WAITING_SHARE = 10
"""Of so many nodes one is on its way, so that it is refused with a text."""
ROUNDS, QUESTIONS, WARM_UP = 7, 400, 100


def run(plane: cluster.Plane) -> list[Figure]:
    """Filter at 500 and at 5,000 names, prioritize at 500."""
    before = {one["metadata"]["name"] for one in plane.api.get("/api/v1/nodes")["items"]}
    numbers = [n for n in range(NODES) if cluster.node_name(n) not in before]
    plane.create("/api/v1/nodes", [cluster.node(n, 1) for n in numbers])
    taken = {one["metadata"]["name"] for one in plane.api.get(claims.COLLECTION)["items"]}
    coming = [n for n in range(0, NODES, WAITING_SHARE) if cluster.claim_name(n) not in taken]
    plane.create(claims.COLLECTION, [cluster.claim(n) for n in coming])
    with plane.extender() as process:
        return [
            *_figures(plane, process, "/filter", SAMPLE, "<= 2"),
            *_figures(plane, process, "/filter", NODES, "<= 5"),
            *_figures(plane, process, "/prioritize", SAMPLE, ""),
            Figure(
                f"extender: memory at {NODES:,} nodes",
                "MiB",
                (process.memory_info().rss / 2**20,),
            ),
        ]


def _figures(
    plane: cluster.Plane, process: psutil.Process, path: str, count: int, goal: str
) -> list[Figure]:
    body = _body(count)
    connection = http.client.HTTPConnection("127.0.0.1", plane.pair.extender_port)
    _waits(connection, path, body, WARM_UP)
    begun = _cpu_seconds(process)
    rounds = [_waits(connection, path, body, QUESTIONS) for _ in range(ROUNDS)]
    spent = 1000 * (_cpu_seconds(process) - begun) / (ROUNDS * QUESTIONS)
    connection.close()
    title = f"{path}, {count:,} node names"
    return [
        Figure(f"{title}: p99", "ms", tuple(p99(one) for one in rounds), goal),
        Figure(f"{title}: p50", "ms", tuple(statistics.median(one) for one in rounds)),
        Figure(f"{title}: CPU of the extender", "ms", (spent,)),
    ]


def _waits(
    connection: http.client.HTTPConnection, path: str, body: bytes, count: int
) -> list[float]:
    """Milliseconds of each."""
    waits = []
    for _ in range(count):
        begun = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        waits.append(1000 * (time.perf_counter() - begun))
        if response.status != http.client.OK:
            raise RuntimeError(f"{path}: {response.status} {answer[:200]!r}")
    return waits


def _body(count: int) -> bytes:
    asking = cluster.pod("asking")
    asking["metadata"] |= {"namespace": cluster.NAMESPACE, "uid": "asking"}
    names = [cluster.node_name(n) for n in range(count)]
    return json.dumps({"Pod": asking, "Nodes": None, "NodeNames": names}).encode()


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
