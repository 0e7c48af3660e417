"""The demonstration: five lines of YAML go in, a model's answer comes out, with a timeline."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local import api, claims, cluster, paths, settings
from deploy.local.api import Api, Object
from deploy.local.failures import CannotRun
from deploy.local.progress import Progress

EXAMPLE = paths.REPOSITORY / "examples" / "tiny-chat.yaml"
WORKLOAD = "tiny-chat"
QUESTION = "What does the label kaito.sh/preset do?"
ANSWER_SECONDS = 180
POLL_SECONDS = 0.03


@dataclass
class Timeline:
    """When each thing was first seen, in seconds since the start."""

    begun: float = field(default_factory=time.monotonic)
    marks: dict[str, float] = field(default_factory=dict)

    def mark(self, event: str) -> None:
        """Notes that `event` has happened, the first time that it is told."""
        self.marks.setdefault(event, time.monotonic() - self.begun)


EVENTS = (
    "cluster up",
    "admitted",
    "node bought",
    "node ready",
    "pod running",
    "model ready",
    "first answer",
)


@dataclass(frozen=True)
class Answered:
    """What a demonstration ended with."""

    timeline: Timeline
    question: str
    answer: str
    url: str
    loaded: settings.Settings


def perform(options: cluster.Options, progress: Progress) -> Answered:
    """Brings a cluster up, applies the example and asks the model.

    Raises:
        CannotRun: a step failed; the cluster then stays as it is, to be looked at.
    """
    timeline = Timeline()
    loaded = cluster.up(options, progress)
    timeline.mark("cluster up")
    with progress.step(f"kubectl apply -f {EXAMPLE.relative_to(paths.REPOSITORY)}"):
        kubectl(loaded, "apply", "-f", str(EXAMPLE))
        timeline.mark("admitted")
    with progress.step("a node for it, the pod, the model"), Api(loaded.files.kubeconfig) as client:
        url = _wait_until_served(client, timeline, progress)
    with progress.step("the first question"):
        answer = ask(url, QUESTION)
        timeline.mark("first answer")
    return Answered(timeline, QUESTION, answer, url, loaded)


def kubectl(loaded: settings.Settings, *arguments: str) -> str:
    """Output of the cluster's own kubectl.

    Raises:
        CannotRun: it failed; the message is its own.
    """
    environment = {
        **os.environ,
        "KUBECONFIG": str(loaded.files.kubeconfig),
        "KUBECACHEDIR": str(loaded.files.root / "kubectl-cache"),
    }
    done = subprocess.run(
        [str(loaded.binaries / "kubectl"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotRun(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def ask(url: str, question: str) -> str:
    """The model's answer by the Service's own address, as any client would get it.

    Raises:
        CannotRun: no answer within the time.
    """
    body = {"prompt": question, "return_full_text": False, "generate_kwargs": {"do_sample": False}}
    deadline = time.monotonic() + ANSWER_SECONDS
    last = ""
    while time.monotonic() < deadline:
        try:
            response = httpx.post(f"{url}/chat", json=body, timeout=30, trust_env=False)
            if response.is_success:
                return str(response.json()["Result"]).strip()
            last = f"{response.status_code} {response.text}"
        except httpx.HTTPError as error:
            # The ClusterIP refuses until kube-proxy knows of the Ready pod.
            last = repr(error)
        time.sleep(POLL_SECONDS)
    raise CannotRun(f"{url}/chat did not answer: {last}")


def _wait_until_served(client: Api, timeline: Timeline, progress: Progress) -> str:
    """Watches the parts come up; returns the URL of the Service once the pod is Ready."""
    namespace = "/api/v1/namespaces/default"
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        pods = client.get(f"{namespace}/pods")["items"]
        ours = [p for p in pods if p["metadata"]["name"].startswith(f"{WORKLOAD}-")]
        seen = _seen(client, ours)
        for event in seen:
            timeline.mark(event)
        progress.report(seen[-1] if seen else "waiting for the planner")
        if "model ready" in seen:
            service = _service(client, f"{namespace}/services/{WORKLOAD}")
            if service:
                return f"http://{service['spec']['clusterIP']}"
        time.sleep(POLL_SECONDS)
    raise CannotRun(
        f"no model was ready within {ANSWER_SECONDS} s; seen: {', '.join(timeline.marks)}",
        "kubectl describe pods, and the logs in the cluster's directory, say why",
    )


def _seen(client: Api, pods: list[Object]) -> list[str]:
    """What has happened so far, in order."""
    seen = []
    bought = [c for c in client.get(claims.COLLECTION)["items"] if claims.is_ours(c)]
    if bought:
        seen.append("node bought")
    if any(claims.is_initialized(claim.get("status", {})) for claim in bought):
        seen.append("node ready")
    if any(pod["status"].get("phase") == "Running" for pod in pods):
        seen.append("pod running")
    if any(_is_ready(pod) for pod in pods):
        seen.append("model ready")
    return seen


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _service(client: Api, path: str) -> Object | None:
    try:
        return client.get(path)
    except api.NotFound:
        return None


def print_report(answered: Answered) -> None:
    """Timeline, question, answer, and how to go on."""
    write: Callable[[str], None] = print
    write("")
    write("Timeline (seconds since the start)")
    for event in EVENTS:
        if event in answered.timeline.marks:
            write(f"  {event:<14}{answered.timeline.marks[event]:7.1f}")
    write("")
    write(
        "Real: etcd, API server, controllers, scheduler, kubelets, containerd, registry, network,"
    )
    write("webhook, planner, controller, model. Simulated: the GPU; the model computes on the CPU.")
    write("")
    write("The cluster stays up. To go on:")
    write(commands(answered.loaded))
    write(f"  curl {answered.url}/chat -d '{json.dumps({'prompt': QUESTION})}'")
    write("  make demo-down     # removes every trace")
    write("")
    write(f"Question: {answered.question}")
    write(f"Answer:   {answered.answer}")


def commands(loaded: settings.Settings) -> str:
    """Commands to look at a cluster with."""
    return (
        f"  export KUBECONFIG={_short(loaded.files.kubeconfig)}\n"
        f"  alias kubectl={_short(loaded.binaries / 'kubectl')}\n"
        "  kubectl get nodes,nodeclaims,deployments,pods,services\n"
        "  kubectl get events --sort-by=.lastTimestamp"
    )


def _short(path: Path) -> str:
    """The path as a shell takes it, with ~ for the home directory."""
    home = Path.home()
    if path.is_relative_to(home):
        return f"~/{shlex.quote(str(path.relative_to(home)))}"
    return shlex.quote(str(path))
