"""The webhook behind a real API server, driven by the real kubectl.

What only the API server knows: defaulting before admission, validation after it, field ownership,
what each verb sends. Every form x every kind, then the verbs and refusals one by one.
"""

import json
from typing import Any

import pytest
import yaml

from cli import ejection
from presets import annotations, catalog, scheduling
from tests.webhook.cluster import (
    FIVE_LINES,
    IDLE,
    KINDS,
    Cluster,
    of_kind,
    template,
    unlabelled,
)
from webhook import admit
from webhook.terms import Terms

pytestmark = pytest.mark.controlplane

FORMS = {
    "no spec": FIVE_LINES,
    "no replicas": IDLE,
    "template without spec": f"{FIVE_LINES}spec: {{replicas: 0, template: {{metadata: {{}}}}}}\n",
    "containers null": f"{FIVE_LINES}spec: {{template: {{spec: {{containers: null}}}}}}\n",
    "containers empty": f"{FIVE_LINES}spec: {{template: {{spec: {{containers: []}}}}}}\n",
    "stub": f"{FIVE_LINES}spec: {{template: {{spec: {{containers: [{{name: model}}]}}}}}}\n",
}


def own(**pod: Any) -> str:
    """A labelled Deployment with a server of the user's own."""
    out = yaml.safe_load(IDLE)
    container = {"name": "own", "image": "own:1", "args": ["--own", "1"]}
    out["spec"]["template"] = {"spec": {"containers": [container], **pod}}
    return json.dumps(out)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_stored_whole_and_applying_it_again_changes_nothing(
    cluster: Cluster, kind: str, form: str
) -> None:
    """W6, W7: whatever stands for no containers; and it is the user's manifest ever after."""
    manifest = of_kind(kind, FORMS[form])
    name = f"{KINDS[kind]}/chat"
    cluster.apply(manifest)
    first = cluster.get(name)
    (container,) = template(first)["spec"]["containers"]
    assert container["image"].startswith("ghcr.io/plainsail/runtime:")
    assert container["args"][0] == "serve"
    said = cluster.apply(manifest)
    # A null in a client-side apply deletes each time anew: what was deleted is put back.
    assert said.endswith("configured\n" if form == "containers null" else "unchanged\n")
    assert cluster.kubectl("diff", "-f", "-", stdin=manifest) == ""
    again = cluster.get(name)
    assert (again["metadata"]["generation"], again["spec"]) == (1, first["spec"])


@pytest.mark.parametrize("kind", KINDS)
def test_all_forms_give_the_same_pods(cluster: Cluster, kind: str) -> None:
    """W6: the same expansion, but for labels that the API server makes from the Job's uid."""
    bodies = [yaml.safe_load(of_kind(kind, form)) for form in FORMS.values()]
    pods = [template(cluster.try_out(body))["spec"] for body in bodies]
    assert all(pod == pods[0] for pod in pods)


def test_a_whole_template_gets_gpus_and_a_node_and_keeps_its_server(cluster: Cluster) -> None:
    """W6: nothing of a full container is expanded that says what it runs."""
    cluster.apply(own())
    (container,) = template(cluster.get("deployment/chat"))["spec"]["containers"]
    assert (container["image"], container["args"]) == ("own:1", ["--own", "1"])
    assert "command" not in container
    assert "startupProbe" not in container
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "1", scheduling.MARKER: "1"}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_verbs_that_arrive_unfilled_roll_no_pods(cluster: Cluster, kind: str) -> None:
    """W7, W8: replace drops what we wrote; a server-side apply brings nulls; migration both."""
    name, manifest = f"{KINDS[kind]}/chat", of_kind(kind, IDLE)
    cluster.apply(manifest)
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
    """W13: never an immutable error."""
    manifest = of_kind("Job", IDLE)
    cluster.apply(manifest)
    first = cluster.get("job/chat")
    assert cluster.apply(manifest) == "job.batch/chat unchanged\n"
    cluster.apply(manifest, "--server-side", "--force-conflicts")
    cluster.kubectl("label", "job/chat", "team=ml")
    cluster.kubectl("label", "job/chat", f"{annotations.PRESET}-")
    assert template(cluster.get("job/chat")) == template(first)


def test_a_job_that_moved_to_server_side_apply_can_be_applied_again(cluster: Cluster) -> None:
    """W13: by then kubectl owns the whole template, so the second apply arrives without it."""
    manifest = of_kind("Job", IDLE)
    cluster.apply(manifest)
    first = cluster.get("job/chat")
    for _ in range(3):
        cluster.apply(manifest, "--server-side")
    assert template(cluster.get("job/chat")) == template(first)


def test_replace_of_a_job_is_refused_as_that_of_any_job_is(cluster: Cluster) -> None:
    """W13: the manifest lacks the selector that the API server made, which is not ours to add."""
    for manifest in (of_kind("Job", IDLE), json.dumps(unlabelled("Job"))):
        cluster.apply(manifest)
        said = cluster.kubectl("replace", "-f", "-", stdin=manifest, ok=(1,))
        assert "spec.selector: Required value" in said


def test_a_stored_job_asked_for_other_pods_is_refused_in_our_words(cluster: Cluster) -> None:
    """W13: the reason and the way out, where the API server would show a whole pod template."""
    cluster.apply(of_kind("Job", IDLE))
    other = of_kind("Job", IDLE).replace("tiny-chat", "phi-3-mini-4k-instruct")
    said = cluster.apply(other, ok=(1,))
    assert "(JobTemplateImmutable)" in said
    assert "delete the Job and create it anew" in said
    assert "field is immutable" not in said


@pytest.mark.parametrize(
    ("written", "stored"),
    [("", "OnFailure"), ("Always", "OnFailure"), ("OnFailure", "OnFailure"), ("Never", "Never")],
)
def test_a_job_never_restarts_always(cluster: Cluster, written: str, stored: str) -> None:
    """W20: the default that no Job can have is replaced on CREATE, and kept from then on."""
    pod = f"restartPolicy: {written}" if written else ""
    spec = f"spec: {{suspend: true, template: {{spec: {{{pod}}}}}}}\n"
    manifest = of_kind("Job", FIVE_LINES) + spec
    cluster.apply(manifest)
    first = template(cluster.get("job/chat"))
    assert first["spec"]["restartPolicy"] == stored
    cluster.kubectl("annotate", "job/chat", "example.com/touched=yes")
    cluster.apply(manifest)
    assert template(cluster.get("job/chat")) == first


def test_a_second_manager_with_the_same_manifest_meets_no_conflict(cluster: Cluster) -> None:
    """W11."""
    for manager in ("one", "two"):
        cluster.apply(IDLE, "--server-side", f"--field-manager={manager}")
    assert cluster.get("deployment/chat")["metadata"]["generation"] == 1


def test_what_the_user_brought_is_kept_and_the_lack_is_told(cluster: Cluster) -> None:
    """W10: tolerations, affinity, arguments; applying them again is no change."""
    tolerations = [{"key": "mine", "operator": "Exists"}]
    expression = {"key": "zone", "operator": "In", "values": ["a"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    manifest = own(tolerations=tolerations, affinity=affinity)
    said = cluster.run("apply", "-f", "-", stdin=manifest).stderr
    assert "tolerations is yours and stays; not tolerated: sku=gpu:NoSchedule" in said
    assert "nodeAffinity is yours and stays; let it match Standard_NC4as_T4_v3" in said
    pod = template(cluster.get("deployment/chat"))["spec"]
    assert (pod["tolerations"], pod["affinity"]) == (tolerations, affinity)
    assert pod["containers"][0]["args"] == ["--own", "1"]
    assert cluster.apply(manifest) == "deployment.apps/chat unchanged\n"


def test_an_unknown_preset_is_refused_in_our_words(cluster: Cluster) -> None:
    """W14: with the nearest of those that there are."""
    manifest = FIVE_LINES.replace("tiny-chat", "tinychat")
    assert cluster.apply(manifest, ok=(1,)) == (
        'The Deployment "chat" is invalid: metadata.labels[kaito.sh/preset]: '
        '"tinychat" is not a preset (UnknownPreset)\n  hint: did you mean "tiny-chat"?\n'
    )


@pytest.mark.parametrize("value", ["", "a b", "-x-", "..", "x" * 64, "é"])
def test_a_value_that_no_label_can_hold_is_refused(cluster: Cluster, value: str) -> None:
    """W14: admission comes before the API server's own validation, and survives it."""
    manifest = FIVE_LINES.replace("tiny-chat", json.dumps(value))
    said = cluster.apply(manifest, ok=(1,))
    assert "is not a preset (UnknownPreset)" in said
    assert "InternalError" not in said


def test_several_mistakes_are_listed_together(cluster: Cluster) -> None:
    manifest = FIVE_LINES + "  annotations: {kaito.sh/capacity-type: x, kaito.sh/service: all}\n"
    assert cluster.apply(manifest, ok=(1,)) == (
        'The Deployment "chat" is invalid: \n'
        '* metadata.annotations[kaito.sh/capacity-type]: "x" is not a capacity type '
        "(InvalidValue)\n"
        "  hint: on-demand, spot or spot,on-demand\n"
        '* metadata.annotations[kaito.sh/service]: "all" is not a choice (InvalidValue)\n'
        "  hint: none, or leave the annotation out to get a Service\n"
    )


def test_kubectl_shows_what_was_chosen(cluster: Cluster) -> None:
    """The notes of the decision, word for word."""
    request = admit.AdmissionRequest(admit.CREATE, yaml.safe_load(IDLE))
    decision = admit.admit(request, Terms(catalog.load()))
    assert isinstance(decision, admit.Allowed)
    said = cluster.run("apply", "--dry-run=server", "-f", "-", stdin=IDLE).stderr
    assert said == "".join(f"Warning: {note.message}\n" for note in decision.notes)
    assert said.startswith("Warning: preset tiny-chat: 1 GPU, ")


def test_removing_the_label_gives_the_users_workload_back(cluster: Cluster) -> None:
    """W12: with what the user did to it since."""
    cluster.apply(own())
    assert "nvidia.com/gpu" in str(template(cluster.get("deployment/chat"))["spec"])
    cluster.kubectl("set", "env", "deployment/chat", "LATER=yes")
    cluster.kubectl("label", "deployment/chat", f"{annotations.PRESET}-")
    left = cluster.get("deployment/chat")
    assert annotations.EXPANSION not in left["metadata"]["annotations"]
    assert left["spec"]["progressDeadlineSeconds"] == 600
    pod = template(left)["spec"]
    assert pod.keys() == {
        *("containers", "dnsPolicy", "restartPolicy", "schedulerName", "securityContext"),
        "terminationGracePeriodSeconds",
    }
    assert pod["containers"][0] == {
        "name": "own",
        "image": "own:1",
        "args": ["--own", "1"],
        "env": [{"name": "LATER", "value": "yes"}],
        "resources": {},
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def test_removing_the_label_from_a_bare_workload_is_refused_with_the_way_out(
    cluster: Cluster,
) -> None:
    """W12: what is left would run nothing."""
    cluster.apply(IDLE)
    said = cluster.kubectl("label", "deployment/chat", f"{annotations.PRESET}-", ok=(1,))
    assert "(NothingToRun)" in said
    assert "set an image in the same change, or delete the workload" in said


def test_replacing_a_workload_with_its_ejected_manifest_stores_just_that(cluster: Cluster) -> None:
    """The pods are as they were but for our scheduler, and nothing needs us any more."""
    cluster.apply(IDLE)
    before = cluster.get("deployment/chat")
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(ejection.ejected(before)))
    after = cluster.get("deployment/chat")
    pod = template(before)["spec"] | {"schedulerName": scheduling.DEFAULT_SCHEDULER}
    for amounts in pod["containers"][0]["resources"].values():
        del amounts[scheduling.MARKER]
    assert template(after)["spec"] == pod
    assert list(ejection.mentions(after)) == []


def test_a_workload_without_the_label_is_not_asked_about(cluster: Cluster) -> None:
    """Refused by the API server's own validation, not by us."""
    before = cluster.webhook.calls()
    manifest = "\n".join(line for line in FIVE_LINES.splitlines() if "labels" not in line)
    said = cluster.apply(manifest, ok=(1,))
    assert "spec.template.spec.containers: Required value" in said
    assert cluster.webhook.calls() == before
