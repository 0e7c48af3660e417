"""The path that everything else stands on: a labelled workload goes in, a model answers."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.local import claims, demo, market, paths, settings
from deploy.local.failures import CannotRun
from deploy.local.progress import Progress
from tests.e2e.namespaces import Namespace, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

EXAMPLES = paths.REPOSITORY / "examples"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"


def test_five_lines_become_a_served_model_on_a_bought_node(namespace: Namespace) -> None:
    """NodeClaim, node, pod there, answer by ClusterIP; no Deployment, no Service."""
    example = EXAMPLES / "tiny-chat.yaml"
    namespace.apply(example)
    claim = eventually(namespace.claims, "a NodeClaim of the planner")[0]
    name = claim["metadata"]["name"]
    node = eventually(
        lambda: [
            n
            for n in namespace.api.get("/api/v1/nodes")["items"]
            if n["metadata"]["name"] == name and "nvidia.com/gpu" in n["status"]["allocatable"]
        ],
        "the node of the claim, with its GPU",
    )[0]
    assert node["metadata"]["labels"][INSTANCE_TYPE] in _types(claim)
    url = namespace.url("tiny-chat")

    answer = demo.ask(url, "What does the label kaito.sh/preset do?")

    assert "preset" in answer
    pods = namespace.all("pods")
    assert [pod["spec"]["nodeName"] for pod in pods] == [name]
    assert pods[0]["status"]["phase"] == "Running"
    namespace.delete(example)
    eventually(lambda: namespace.get("services", "tiny-chat") is None, "the Service removed", 30)


def test_an_idle_machine_is_given_back(namespace: Namespace) -> None:
    """Scaled to zero, the claim goes after its time, and the node with it."""
    namespace.apply(EXAMPLES / "tiny-chat.yaml")
    claim = eventually(namespace.claims, "a NodeClaim")[0]
    eventually(lambda: [p for p in namespace.all("pods") if p["spec"].get("nodeName")], "pod bound")

    demo.kubectl(
        namespace.loaded, "scale", "-n", namespace.name, "deployment/tiny-chat", "--replicas=0"
    )

    eventually(lambda: not namespace.claims(), "the claim given back", 60)
    name = claim["metadata"]["name"]
    nodes = [n["metadata"]["name"] for n in namespace.api.get("/api/v1/nodes")["items"]]
    assert name not in nodes


def test_a_spot_machine_that_cannot_be_had_is_followed_by_one_on_demand(
    namespace: Namespace,
) -> None:
    """The second half of the demonstration, each step with its reason on the workload.

    A second demonstration begins anew; what was refused a moment ago is not tried again.
    """
    try:
        said = market.perform(namespace.loaded, Progress())
        again = market.perform(namespace.loaded, Progress())
    finally:
        demo.kubectl(namespace.loaded, "delete", "-f", str(market.EXAMPLE))
    reasons = ["NodeRequested", "ClaimRefused", "NodeRequested", "NodeGivenBack"]
    assert [one.reason for one in said] == reasons
    refused, bought = said[1].message, said[2].message
    assert "no spot machine of Standard_NC24ads_A100_v4 can be had now" in refused
    assert "on-demand, $3.673/h), attempt 2/2 after" in bought
    assert [one.reason for one in again] == ["NodeRequested", "NodeGivenBack"]


def test_phi_3_runs_its_own_manifest_on_stand_in_weights(namespace: Namespace) -> None:
    """The hub's name and pinned revision load from the machine's hub cache, offline."""
    namespace.apply(EXAMPLES / "phi-3.yaml")
    url = namespace.url("phi-3")

    assert demo.ask(url, "What does the label kaito.sh/preset do?")
    pod = namespace.all("pods")[0]
    arguments = " ".join(
        [*pod["spec"]["containers"][0].get("args", []), *pod["spec"]["containers"][0]["command"]]
    )
    assert "--model=microsoft/Phi-3-mini-4k-instruct" in arguments


def test_the_same_manifest_is_served_on_processors_and_without_us(
    namespace: Namespace, tmp_path: Path
) -> None:
    """Ejected for a cluster without GPUs, it runs on the node that has none: nothing is bought."""
    plain = tmp_path / "plain.yaml"
    command = [sys.executable, "-m", "cli", "eject", "--cpu", "-f", "examples/tiny-chat.yaml"]
    ejected = subprocess.run(
        command, cwd=paths.REPOSITORY, capture_output=True, text=True, check=True
    )
    plain.write_text(_with_torch(ejected.stdout, namespace))

    namespace.apply(plain)
    answer = demo.ask(namespace.url("tiny-chat"), "What does the label kaito.sh/preset do?")

    assert "preset" in answer
    assert "kaito.sh/" not in ejected.stdout
    (pod,) = namespace.all("pods")
    assert pod["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "1556Mi"}
    }
    assert namespace.claims() == []


def _with_torch(manifests: str, namespace: Namespace) -> str:
    """With PyTorch, which the local cluster's image leaves to the simulated GPU's driver."""
    service, workload = yaml.safe_load_all(manifests)
    pod = workload["spec"]["template"]["spec"]
    host = {"name": "torch", "hostPath": {"path": str(namespace.loaded.torch_stack)}}
    pod["volumes"].append(host)
    mount = {"name": "torch", "mountPath": str(settings.TORCH_IN_POD), "readOnly": True}
    (container,) = pod["containers"]
    container["volumeMounts"].append(mount)
    path = f"{settings.APP_IN_POD}:{settings.TORCH_IN_POD}"
    container["env"].append({"name": "PYTHONPATH", "value": path})
    return yaml.safe_dump_all([service, workload])


def test_an_unknown_preset_is_refused_by_the_api_server(
    namespace: Namespace, tmp_path: Path
) -> None:
    """The user reads our text: path, value and the nearest name; nothing is stored."""
    manifest = tmp_path / "wrong.yaml"
    manifest.write_text(
        (EXAMPLES / "tiny-chat.yaml")
        .read_text()
        .replace("kaito.sh/preset: tiny-chat", "kaito.sh/preset: tiny-chatt")
    )
    with pytest.raises(CannotRun) as refused:
        demo.kubectl(namespace.loaded, "apply", "-n", namespace.name, "-f", str(manifest))
    text = str(refused.value)
    assert 'metadata.labels[kaito.sh/preset]: "tiny-chatt"' in text
    assert 'did you mean "tiny-chat"?' in text
    assert namespace.all("deployments") == []


def test_an_unlabelled_deployment_is_left_alone(namespace: Namespace, tmp_path: Path) -> None:
    """Nothing is asked of the webhook, nothing is added."""
    manifest = tmp_path / "plain.yaml"
    manifest.write_text(PLAIN)
    namespace.apply(manifest)
    stored = namespace.get("deployments", "plain")
    assert stored is not None
    container = stored["spec"]["template"]["spec"]["containers"][0]
    assert container.get("resources", {}) == {}
    assert "kaito.sh/expansion" not in stored["metadata"]["annotations"]
    assert namespace.claims() == []


PLAIN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: plain}
spec:
  replicas: 0
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain}}
    spec: {containers: [{name: app, image: registry.k8s.io/pause:3.10}]}
"""


def _types(claim: dict[str, object]) -> list[str]:
    return claims.required(claim, INSTANCE_TYPE)
