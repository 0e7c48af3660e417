"""The second half of the demonstration: a second model on a second bought machine.

A spot machine is asked for and refused, one on demand is bought instead, and goes back when it is
idle. What the cluster says of all that stands in events on the workload.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local import claims, demo, paths, settings
from deploy.local.api import Api, Object
from deploy.local.failures import CannotRun
from deploy.local.progress import Progress

EXAMPLE = paths.REPOSITORY / "examples" / "spot-first.yaml"
WORKLOAD = "spot-first"
_SECONDS = 120
_LONGEST_TTL_SECONDS = 60
"""A cluster whose idle machines stay for longer is not waited for."""
_EVENTS = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind=Deployment"


@dataclass(frozen=True)
class Told:
    """One event on the workload."""

    reason: str
    message: str


def perform(loaded: settings.Settings, progress: Progress) -> list[Told]:
    """Applies the example, scales it to nothing, and returns what was said of it, in order.

    Raises:
        CannotRun: a step failed; the cluster then stays as it is, to be looked at.
    """
    with Api(loaded.files.kubeconfig) as client:
        with progress.step(f"kubectl apply -f {EXAMPLE.relative_to(paths.REPOSITORY)}"):
            demo.kubectl(loaded, "apply", "-f", str(EXAMPLE))
        with progress.step("no spot machine: one on demand, its node, its model"):
            _wait(lambda: _is_ready(client), "the second model")
        if loaded.idle_ttl_seconds <= _LONGEST_TTL_SECONDS:
            with progress.step(f"kubectl scale deployment/{WORKLOAD} --replicas=0: its node back"):
                demo.kubectl(loaded, "scale", f"deployment/{WORKLOAD}", "--replicas=0")
                _wait(lambda: not _bought(client), "the second machine given back")
                _wait(lambda: any(t.reason == "NodeGivenBack" for t in told(client)), "its event")
        return told(client)


def told(client: Api) -> list[Told]:
    """Events on the workload, in order of time."""
    found = client.get(f"{_EVENTS},involvedObject.name={WORKLOAD}")["items"]
    found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
    ours = (e for e in found if e["source"].get("component") == "plainsail-node-provisioner")
    return [Told(event["reason"], event["message"].partition("\n")[0]) for event in ours]


def lines(said: list[Told]) -> list[str]:
    """The events as the demonstration prints them."""
    if not said:
        return []
    width = max(len(one.reason) for one in said)
    shown = [f"  {one.reason:<{width}}  {one.message}" for one in said]
    return ["", f"Events of deployment/{WORKLOAD} (kubectl describe shows them)", *shown]


def _is_ready(client: Api) -> bool:
    pods = client.get("/api/v1/namespaces/default/pods")["items"]
    return any(_holds(p, "Ready") for p in pods if p["metadata"]["name"].startswith(WORKLOAD))


def _holds(pod: Object, kind: str) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)


def _bought(client: Api) -> list[Object]:
    found = client.get(claims.COLLECTION)["items"]
    return [claim for claim in found if _workload(claim) == f"Deployment/{WORKLOAD}"]


def _workload(claim: Object) -> str:
    return str((claim["metadata"].get("annotations") or {}).get("kaito.sh/workload-name"))


def _wait(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        if time.monotonic() > deadline:
            hint = "kubectl get events, and the logs in the cluster's directory, say why"
            raise CannotRun(f"{what} was not there within {_SECONDS} s", hint)
        time.sleep(demo.POLL_SECONDS)
