"""Seconds that a user waits: `make demo` from nothing, a second machine, taking it all down."""

import tempfile
import time

from bench.report import Figure
from deploy.local import api, binaries, claims, cluster, control_plane, demo, settings
from deploy.local.progress import Progress

CLUSTER = "bench"
RUNS = 3
PARTS = ("cluster up", "admitted", "node bought", "node ready", "pod running", "model ready")
SECOND = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: second, labels: {kaito.sh/preset: tiny-chat}}
"""


def run() -> list[Figure]:
    """Three whole rounds on a cluster of their own; caches are warm, as in a second `make demo`."""
    cluster.down(CLUSTER)
    cluster.up(cluster.Options(CLUSTER), Progress())  # fills the caches
    cluster.down(CLUSTER)
    rounds = [_round() for _ in range(RUNS)]

    def figure(name: str, goal: str = "") -> Figure:
        return Figure(name, "s", tuple(measured[name] for measured in rounds), goal)

    return [
        figure("first answer", "<= 25"),
        *(figure(part) for part in PARTS),
        figure("second machine: claim to Ready", "<= 3"),
        figure("second machine: claim to answer", "<= 10"),
        figure("demo-down"),
        Figure("test control plane ready", "s", tuple(_rootless() for _ in range(RUNS)), "<= 4"),
    ]


def _round() -> dict[str, float]:
    try:
        answered = demo.perform(cluster.Options(CLUSTER), Progress())
        second = _second_machine(answered.loaded)
    finally:
        begun = time.monotonic()
        cluster.down(CLUSTER)
        down = time.monotonic() - begun
    return {**answered.timeline.marks, **second, "demo-down": down}


def _second_machine(loaded: settings.Settings) -> dict[str, float]:
    with api.Api(loaded.files.kubeconfig) as client:
        return _watch_second(loaded, client)


def _watch_second(loaded: settings.Settings, client: api.Api) -> dict[str, float]:
    before = _names(client)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(SECOND)
        file.flush()
        demo.kubectl(loaded, "apply", "-f", file.name)
    marks: dict[str, float] = {}
    while "ready" not in marks:
        new = [
            c for c in client.get(claims.COLLECTION)["items"] if c["metadata"]["name"] not in before
        ]
        if new:
            marks.setdefault("bought", time.monotonic())
        if any(claims.is_initialized(claim.get("status", {})) for claim in new):
            marks["ready"] = time.monotonic()
        time.sleep(demo.POLL_SECONDS)
    demo.ask(f"http://{_service_ip(client)}", demo.QUESTION)
    marks["answer"] = time.monotonic()
    return {
        "second machine: claim to Ready": marks["ready"] - marks["bought"],
        "second machine: claim to answer": marks["answer"] - marks["bought"],
    }


def _names(client: api.Api) -> set[str]:
    return {claim["metadata"]["name"] for claim in client.get(claims.COLLECTION)["items"]}


def _service_ip(client: api.Api) -> str:
    address: str = client.get("/api/v1/namespaces/default/services/second")["spec"]["clusterIP"]
    return address


def _rootless() -> float:
    programs = binaries.binaries(lambda _: None)
    begun = time.monotonic()
    with control_plane.temporary(programs):
        return time.monotonic() - begun
