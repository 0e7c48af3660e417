"""The webhook behind a real API server, driven by the real kubectl.

What only the API server knows: defaulting before admission, validation after it, field ownership,
what each verb sends. Replicas are zero, so that no pod waits for a node.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local import api as apis
from deploy.local import binaries, control_plane
from presets import annotations
from tests import programs
from tests.webhook import serving

pytestmark = pytest.mark.controlplane

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "manifests" / "webhook.yaml"

FIVE_LINES = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
  labels: {kaito.sh/preset: tiny-chat}
"""
IDLE = f"{FIVE_LINES}spec: {{replicas: 0}}\n"
FORMS = {
    "no spec": FIVE_LINES,
    "no replicas": IDLE,
    "template without spec": f"{FIVE_LINES}spec: {{replicas: 0, template: {{metadata: {{}}}}}}\n",
    "containers null": f"{FIVE_LINES}spec: {{template: {{spec: {{containers: null}}}}}}\n",
    "containers empty": f"{FIVE_LINES}spec: {{template: {{spec: {{containers: []}}}}}}\n",
    "stub": f"{FIVE_LINES}spec: {{template: {{spec: {{containers: [{{name: model}}]}}}}}}\n",
}
KINDS = {
    "Deployment": "deployment",
    "StatefulSet": "statefulset",
    "Job": "job",
}


class Cluster:
    """One namespace of the control plane, by kubectl."""

    def __init__(self, kubectl: Path, kubeconfig: Path, namespace: str) -> None:
        self._command = [str(kubectl), f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]

    def kubectl(self, *argv: str, stdin: str = "", ok: tuple[int, ...] = (0,)) -> str:
        """Standard output; with a failure that is expected, standard error."""
        done = subprocess.run(
            [*self._command, *argv], input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode in ok, done.stderr
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def get(self, what: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", what, "-o", "json"))
        return found


@pytest.fixture(scope="module")
def cluster(
    control_plane_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A namespace whose labelled workloads go through a webhook of our own."""
    pems = serving.pems(tmp_path_factory.mktemp("tls"))
    with apis.Api(control_plane_kubeconfig) as api, serving.running(pems) as (_, port):
        namespace = programs.namespace(api)
        (configuration,) = control_plane.documents(CONFIGURATION)
        configuration["metadata"]["name"] = namespace
        for hook in configuration["webhooks"]:
            bundle = base64.b64encode(pems.certificate.read_bytes()).decode()
            hook["clientConfig"] = {"url": f"https://127.0.0.1:{port}/mutate", "caBundle": bundle}
            hook["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        path = apis.path_of(configuration)
        api.apply(path, configuration)
        kubectl = binaries.binaries(lambda _: None) / "kubectl"
        made = Cluster(kubectl, control_plane_kubeconfig, namespace)
        _await_webhook(made)
        yield made
        api.delete(path)
        api.delete(f"/api/v1/namespaces/{namespace}")


def _await_webhook(made: Cluster) -> None:
    """The API server learns of a new configuration within a second or so."""
    for _ in range(100):
        said = made.kubectl("apply", "--dry-run=server", "-f", "-", stdin=IDLE, ok=(0, 1))
        if "server dry run" in said:
            return
    pytest.fail(f"the webhook is not called: {said}")


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> Iterator[None]:
    made: Cluster = request.getfixturevalue("cluster")
    yield
    kinds = ",".join(KINDS.values())
    made.kubectl("delete", kinds, "--all", "--wait=true", "--cascade=background")


def of_kind(kind: str, manifest: str) -> str:
    out = manifest.replace("kind: Deployment", f"kind: {kind}")
    return (
        out.replace("apps/v1", "batch/v1").replace("replicas: 0", "suspend: true")
        if kind == "Job"
        else out
    )


def template(found: dict[str, Any]) -> dict[str, Any]:
    held: dict[str, Any] = found["spec"]["template"]
    return held


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_stored_whole_and_applying_it_again_changes_nothing(
    cluster: Cluster, kind: str, form: str
) -> None:
    manifest = of_kind(kind, FORMS[form])
    name = f"{KINDS[kind]}/chat"
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    first = cluster.get(name)
    (container,) = template(first)["spec"]["containers"]
    assert container["image"].startswith("ghcr.io/plainsail/runtime:")
    assert container["args"][0] == "serve"
    said = cluster.kubectl("apply", "-f", "-", stdin=manifest)
    # A null in a client-side apply deletes each time anew: what was deleted is put back.
    assert said.endswith("configured\n" if form == "containers null" else "unchanged\n")
    assert cluster.kubectl("diff", "-f", "-", stdin=manifest) == ""
    again = cluster.get(name)
    assert (again["metadata"]["generation"], again["spec"]) == (1, first["spec"])


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_verbs_that_arrive_unfilled_roll_no_pods(cluster: Cluster, kind: str) -> None:
    """`kubectl replace` drops what we wrote; a server-side apply brings nulls; migration both."""
    name, manifest = f"{KINDS[kind]}/chat", of_kind(kind, IDLE)
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    first = cluster.get(name)
    for verb in (
        ["replace"],
        ["apply", "--server-side", "--force-conflicts"],
        ["apply", "--server-side", "--field-manager=other", "--force-conflicts"],
        ["replace"],
        ["apply"],
    ):
        cluster.kubectl(*verb, "-f", "-", stdin=manifest)
        after = cluster.get(name)
        assert template(after) == template(first), verb
        assert after["spec"]["selector"] == first["spec"]["selector"]
        held = after["metadata"]["annotations"][annotations.EXPANSION]
        assert held == first["metadata"]["annotations"][annotations.EXPANSION], verb


def test_a_stored_job_keeps_its_template_through_every_verb(cluster: Cluster) -> None:
    manifest = of_kind("Job", IDLE)
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    first = cluster.get("job/chat")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)
    cluster.kubectl("label", "job/chat", "team=ml")
    cluster.kubectl("label", "job/chat", f"{annotations.PRESET}-")
    assert template(cluster.get("job/chat")) == template(first)


def test_a_second_manager_with_the_same_manifest_meets_no_conflict(cluster: Cluster) -> None:
    for manager in ("one", "two"):
        verb = ["apply", "--server-side", f"--field-manager={manager}"]
        cluster.kubectl(*verb, "-f", "-", stdin=IDLE)
    assert cluster.get("deployment/chat")["metadata"]["generation"] == 1


def test_scale_annotate_restart_and_undo_keep_what_was_added(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=IDLE)
    first = template(cluster.get("deployment/chat"))
    cluster.kubectl("scale", "deployment/chat", "--replicas=0")
    cluster.kubectl("annotate", "deployment/chat", "example.com/x=y")
    assert template(cluster.get("deployment/chat")) == first
    cluster.kubectl("rollout", "restart", "deployment/chat")
    restarted = template(cluster.get("deployment/chat"))
    assert restarted["spec"] == first["spec"]
    cluster.kubectl("rollout", "undo", "deployment/chat", "--to-revision=1", ok=(0, 1))
    assert template(cluster.get("deployment/chat"))["spec"] == first["spec"]


def test_an_unknown_preset_is_refused_in_our_words(cluster: Cluster) -> None:
    manifest = FIVE_LINES.replace("tiny-chat", "tinychat")
    assert cluster.kubectl("apply", "-f", "-", stdin=manifest, ok=(1,)) == (
        'The Deployment "chat" is invalid: metadata.labels[kaito.sh/preset]: '
        '"tinychat" is not a preset (UnknownPreset)\n  hint: did you mean "tiny-chat"?\n'
    )


def test_several_mistakes_are_listed_together(cluster: Cluster) -> None:
    manifest = FIVE_LINES + "  annotations: {kaito.sh/capacity-type: x, kaito.sh/service: all}\n"
    assert cluster.kubectl("apply", "-f", "-", stdin=manifest, ok=(1,)) == (
        'The Deployment "chat" is invalid: \n'
        '* metadata.annotations[kaito.sh/capacity-type]: "x" is not a capacity type '
        "(InvalidValue)\n"
        "  hint: on-demand, spot or spot,on-demand\n"
        '* metadata.annotations[kaito.sh/service]: "all" is not a choice (InvalidValue)\n'
        "  hint: none, or leave the annotation out to get a Service\n"
    )


def test_kubectl_shows_what_was_chosen(cluster: Cluster) -> None:
    done = subprocess.run(
        [*cluster._command, "apply", "--dry-run=server", "-f", "-"],
        input=IDLE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == (
        "Warning: preset tiny-chat: 1 GPU, instance type Standard_NC4as_T4_v3 or Standard_NC6s_v3\n"
    )


def test_removing_the_label_gives_the_users_workload_back(cluster: Cluster) -> None:
    own = yaml.safe_load(IDLE)
    own["spec"]["template"] = {"spec": {"containers": [{"name": "own", "image": "own:1"}]}}
    manifest = json.dumps(own)
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    assert "nvidia.com/gpu" in str(template(cluster.get("deployment/chat"))["spec"])
    cluster.kubectl("label", "deployment/chat", f"{annotations.PRESET}-")
    left = cluster.get("deployment/chat")
    assert annotations.EXPANSION not in left["metadata"]["annotations"]
    assert left["spec"]["progressDeadlineSeconds"] == 600
    pod = template(left)["spec"]
    assert pod.keys() == {
        *("containers", "dnsPolicy", "restartPolicy", "schedulerName", "securityContext"),
        "terminationGracePeriodSeconds",
    }
    assert pod["containers"][0].keys() == {
        *("image", "imagePullPolicy", "name", "resources"),
        *("terminationMessagePath", "terminationMessagePolicy"),
    }
    assert pod["containers"][0]["resources"] == {}


def test_removing_the_label_from_a_bare_workload_is_refused_with_the_way_out(
    cluster: Cluster,
) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=IDLE)
    said = cluster.kubectl("label", "deployment/chat", f"{annotations.PRESET}-", ok=(1,))
    assert "(NothingToRun)" in said
    assert "set an image in the same change, or delete the workload" in said


def test_a_workload_without_the_label_is_not_asked_about(cluster: Cluster) -> None:
    """Refused by the API server's own validation, not by us."""
    manifest = "\n".join(line for line in FIVE_LINES.splitlines() if "labels" not in line)
    said = cluster.kubectl("apply", "-f", "-", stdin=manifest, ok=(1,))
    assert "spec.template.spec.containers: Required value" in said
