"""The second half of the demonstration: a second model on a second bought machine.

A spot machine is asked for and refused, one on demand is bought instead, and goes back when it is
idle. What the cluster says of all that stands in events on the workload.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local import claims, demo, paths, settings
from deploy.local.api import Api, NotFound, Object
from deploy.local.failures import CannotRun
from deploy.local.progress import Progress

EXAMPLE = paths.REPOSITORY / "examples" / "spot-first.yaml"
WORKLOAD = "spot-first"
NO_SPOT = ("Standard_NC24ads_A100_v4",)
"""The shortage in which the example is told best: its instance type."""
_SECONDS = 120
_LONGEST_TTL_SECONDS = 60
"""A cluster whose idle machines stay for longer is not waited for."""
_NAMESPACE = "/api/v1/namespaces/default"
_DEPLOYMENT = f"/apis/apps/v1/namespaces/default/deployments/{WORKLOAD}"


@dataclass(frozen=True)
class Told:
    """One event on the workload."""

    reason: str
    message: str


def perform(loaded: settings.Settings, progress: Progress) -> list[Told]:
    """Applies the example, scales it to nothing, and returns what was said of it, in order.

    What an earlier demonstration left of it is deleted first.

    Raises:
        CannotRun: a step failed; the cluster then stays as it is, to be looked at.
    """
    gives_back = loaded.idle_ttl_seconds <= _LONGEST_TTL_SECONDS
    with Api(loaded.files.kubeconfig) as client:
        _clear(loaded, client, progress, gives_back=gives_back)
        with progress.step(f"kubectl apply -f {EXAMPLE.relative_to(paths.REPOSITORY)}"):
            demo.kubectl(loaded, "apply", "-f", str(EXAMPLE))
            uid = client.get(_DEPLOYMENT)["metadata"]["uid"]
        with progress.step("a spot machine, else one on demand; its node, its model"):
            _wait(lambda: _is_ready(client), "the second model")
        if gives_back:
            with progress.step(f"kubectl scale deployment/{WORKLOAD} --replicas=0: its node back"):
                demo.kubectl(loaded, "scale", f"deployment/{WORKLOAD}", "--replicas=0")
                _wait(lambda: not _bought(client), "the second machine given back")
                _wait(
                    lambda: any(t.reason == "NodeGivenBack" for t in told(client, uid)), "its event"
                )
        return told(client, uid)


def _clear(loaded: settings.Settings, client: Api, progress: Progress, *, gives_back: bool) -> None:
    """Take away the workload of an earlier demonstration, with its pods and its machine."""
    try:
        client.get(_DEPLOYMENT)
    except NotFound:
        return
    with progress.step(f"deployment/{WORKLOAD} of an earlier demonstration: deleted"):
        demo.kubectl(loaded, "delete", "--cascade=foreground", "-f", str(EXAMPLE))
        if gives_back:
            _wait(lambda: not _bought(client), "the machine that it had given back")


def told(client: Api, uid: str) -> list[Told]:
    """Events on the workload of that uid, in order of time."""
    found = client.get(f"{_NAMESPACE}/events?fieldSelector=involvedObject.uid={uid}")["items"]
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
    pods = client.get(f"{_NAMESPACE}/pods")["items"]
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
