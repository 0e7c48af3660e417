"""`plainsail eject` and its laws: the same pods, no trace of ours, left alone by the webhook.

From: a manifest, an expanded manifest, an object read back from a cluster (Deployment, StatefulSet,
Job). With: a Service of the same name, none wanted, a List, a key of ours in the selector.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import ejection
from controller import services, views
from presets import annotations, scheduling
from tests import builders
from tests.cli.running import SERVICE, TINY, Run
from tests.conftest import GOLDEN, Goldens
from tests.laws import holding
from webhook import admit, reasons, workloads

SEEDS = range(200)


def expanded(workload: dict[str, Any]) -> dict[str, Any]:
    return holding.allowed(workload).workload


def read_back(workload: dict[str, Any]) -> dict[str, Any]:
    """The expanded workload as `kubectl get -o yaml` prints it."""
    out = builders.stored(expanded(workload))
    name, uid = out["metadata"]["name"], "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    applied = json.dumps(workload)
    out["metadata"] |= {
        "uid": uid,
        "resourceVersion": "412",
        "generation": 1,
        "creationTimestamp": "2026-11-21T10:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
    }
    out["metadata"]["annotations"] |= {
        annotations.STATUS: '{"phase":"Ready"}',
        "kubectl.kubernetes.io/last-applied-configuration": applied,
        "deployment.kubernetes.io/revision": "1",
    }
    out["status"] = {"readyReplicas": 1}
    if out["kind"] == "Job":
        out["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        names = {"job-name": name, "controller-uid": uid, "batch.kubernetes.io/job-name": name}
        out["spec"]["template"]["metadata"]["labels"] |= {
            **names,
            "batch.kubernetes.io/controller-uid": uid,
        }
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_expanded_and_ejected_the_pods_are_the_same(seed: int) -> None:
    whole = expanded(builders.anyhow(seed))
    plain = ejection.ejected(whole)
    pod = copy.deepcopy(workloads.pod_spec(whole))
    if pod.get("schedulerName") == scheduling.SCHEDULER:
        del pod["schedulerName"]
    for resources in (one.get("resources", {}) for one in pod["containers"]):
        for amounts in resources.values():
            amounts.pop(scheduling.MARKER, None)
    assert workloads.pod_spec(plain) == pod
    assert list(ejection.mentions(plain)) == []


def test_another_scheduler_of_the_users_stays() -> None:
    made = builders.deployment().preset().pod(schedulerName="own").build()
    assert workloads.pod_spec(ejection.ejected(expanded(made)))["schedulerName"] == "own"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_webhook_leaves_it_alone(seed: int) -> None:
    """When it is made, and when it is changed later."""
    plain = ejection.ejected(expanded(builders.anyhow(seed)))
    for request in (
        admit.AdmissionRequest(admit.CREATE, plain),
        admit.AdmissionRequest(admit.UPDATE, plain, plain),
    ):
        assert admit.admit(request, holding.TERMS) == admit.Skipped(reasons.NOT_LABELLED)


@pytest.mark.parametrize("seed", SEEDS[:50])
def test_read_back_from_a_cluster_it_is_what_the_manifest_gives(seed: int) -> None:
    """But for the defaults that the API server has filled in."""
    workload = builders.anyhow(seed)
    plain = ejection.ejected(read_back(workload))
    direct = ejection.ejected(expanded(workload))
    direct = builders.stored(direct)
    if workloads.pod_spec(expanded(workload))["schedulerName"] == scheduling.SCHEDULER:
        del workloads.pod_spec(direct)["schedulerName"]
    direct["spec"]["template"]["metadata"].pop("creationTimestamp", None)
    if direct["kind"] == "Job":
        direct["spec"].pop("selector", None)
    if not direct["spec"]["template"]["metadata"]:
        del direct["spec"]["template"]["metadata"]
    assert plain == direct


@pytest.mark.parametrize("seed", SEEDS[:50])
def test_ejecting_changes_nothing_of_its_argument(seed: int) -> None:
    workload = read_back(builders.anyhow(seed))
    before = copy.deepcopy(workload)
    ejection.ejected(workload)
    assert workload == before


def test_the_whole_output_for_a_manifest(run: Run, goldens: Goldens) -> None:
    status, out, _ = run("eject", "-f", "-", stdin=f"# of the user\n{TINY}---\n{SERVICE}")
    assert status == 0
    goldens.check(GOLDEN / "cli" / "eject.yaml", out)


@pytest.mark.parametrize("make", [builders.deployment, builders.stateful_set, builders.job])
def test_the_whole_output_for_what_a_cluster_holds(
    make: Any, run: Run, goldens: Goldens, tmp_path: Path
) -> None:
    kept = read_back(make().preset().annotation("example.com/note", "kept").build())
    (tmp_path / "live.yaml").write_text(yaml.safe_dump(kept, sort_keys=False))
    status, out, err = run("eject", "-f", str(tmp_path / "live.yaml"))
    assert (status, err) == (0, "")
    goldens.check(GOLDEN / "cli" / f"eject-live-{kept['kind'].lower()}.yaml", out)


def test_a_preset_that_nobody_knows_any_more_is_no_obstacle(run: Run) -> None:
    _, once, _ = run("expand", "-f", "-", stdin=TINY)
    status, out, _ = run("eject", "-f", "-", stdin=once.replace("tiny-chat", "gone-chat"))
    assert status == 0
    assert "kaito.sh/" not in out


@pytest.mark.parametrize(
    ("key", "text"),
    [(annotations.PRESET, "phi-4"), (annotations.INSTANCE_TYPES, "Standard_NC24ads_A100_v4")],
)
def test_what_was_expanded_for_other_keys_is_refused(key: str, text: str, run: Run) -> None:
    """As `expand` refuses it: the pods are not those that the keys ask for now."""
    whole = expanded(builders.deployment().preset().build())
    field = "labels" if key == annotations.PRESET else "annotations"
    whole["metadata"][field][key] = text
    told = run("eject", "-f", "-", stdin=json.dumps(whole))
    assert told == run("expand", "-f", "-", stdin=json.dumps(whole))
    assert told[:2] == (1, "")
    assert reasons.STALE_EXPANSION in told[2]


def test_without_the_label_what_was_expanded_is_ejected_as_it_stands(run: Run) -> None:
    """No key asks for other pods; so stands a Job whose label was taken away."""
    whole = expanded(builders.job().preset().build())
    direct = run("eject", "-f", "-", stdin=json.dumps(whole))
    assert whole["metadata"].pop("labels") == {annotations.PRESET: "tiny-chat"}
    assert direct[0] == 0
    assert run("eject", "-f", "-", stdin=json.dumps(whole)) == direct


@pytest.mark.parametrize("part", ["selector", "template"])
def test_a_part_of_a_wrong_type_is_refused(part: str, run: Run) -> None:
    whole = expanded(builders.deployment().preset().build())
    whole["spec"][part] = "none"
    status, out, err = run("eject", "-f", "-", stdin=json.dumps(whole))
    assert (status, out) == (1, "")
    assert reasons.MALFORMED_OBJECT in err


def test_a_service_that_is_there_stays_the_only_one(run: Run) -> None:
    own = SERVICE.replace("kept}", "tiny}")
    _, out, _ = run("eject", "-f", "-", stdin=f"{own}---\n{TINY}")
    assert [one["kind"] for one in yaml.safe_load_all(out)] == ["Service", "Deployment"]
    assert out.startswith(own)


def controllers(workload: dict[str, Any]) -> dict[str, Any]:
    """The Service of a workload as the controller makes it and a cluster holds it."""
    view = views.deployment(workload)
    assert view is not None
    made = services.manifest(view)
    made["metadata"] |= {"uid": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "resourceVersion": "413"}
    made["spec"]["clusterIP"] = "10.0.0.7"
    return made


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("is_list", [False, True])
def test_in_place_of_the_controllers_service_comes_one_that_nobody_owns(
    *, is_first: bool, is_list: bool, run: Run
) -> None:
    """The controller deletes its own, once their workload is none of ours."""
    live = read_back(builders.deployment().preset().build())
    objects = [controllers(live), live] if is_first else [live, controllers(live)]
    whole = {"apiVersion": "v1", "kind": "List", "items": objects}
    text = json.dumps(whole) if is_list else "\n---\n".join(map(json.dumps, objects))
    status, out, err = run("eject", "-f", "-", "-o", "json", stdin=text)
    assert (status, err) == (0, "")
    service, deployment = json.loads(out)["items"]
    assert service == ejection.service(expanded(builders.deployment().preset().build()))
    assert deployment["kind"] == "Deployment"
    _, out, _ = run("eject", "-f", "-", stdin=text)
    documents = list(yaml.safe_load_all(out))
    assert (documents[0]["items"] if is_list else documents) == [service, deployment]


def test_the_controllers_service_of_another_workload_stays(run: Run) -> None:
    """That workload is not ejected here."""
    service = controllers(read_back(builders.deployment("other").preset().build()))
    text = f"{json.dumps(service)}\n---\n{TINY}"
    _, out, _ = run("eject", "-f", "-", stdin=text)
    assert out.startswith(json.dumps(service))
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(out)] == ["other", "tiny", "tiny"]


def test_no_service_where_none_is_wanted(run: Run) -> None:
    text = TINY.replace("name: tiny,", "name: tiny, annotations: {kaito.sh/service: none},")
    _, out, _ = run("eject", "-f", "-", stdin=text)
    assert [one["kind"] for one in yaml.safe_load_all(out)] == ["Deployment"]


def test_the_service_is_the_controllers_without_its_owner() -> None:
    workload = expanded(builders.deployment().preset().build())
    made = ejection.service(workload)
    assert made is not None
    assert made["metadata"] == {"name": "chat", "namespace": "default"}
    assert made["spec"]["selector"] == workload["spec"]["selector"]["matchLabels"]


def test_a_list_stays_a_list(run: Run) -> None:
    given = {"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(TINY)]}
    _, out, _ = run("eject", "-f", "-", stdin=json.dumps(given))
    assert [one["kind"] for one in yaml.safe_load(out)["items"]] == ["Service", "Deployment"]


def test_json(run: Run) -> None:
    _, out, _ = run("eject", "-f", "-", "-o", "json", stdin=TINY)
    assert [one["kind"] for one in json.loads(out)["items"]] == ["Service", "Deployment"]


def test_a_selector_of_ours_is_refused(run: Run) -> None:
    workload = builders.deployment().preset().selector(**{annotations.PRESET: "tiny-chat"}).build()
    status, out, err = run("eject", "-f", "-", stdin=json.dumps(workload))
    assert (status, out) == (1, "")
    assert "spec.selector asks for kaito.sh/preset" in err


def test_what_still_names_a_key_of_ours_is_pointed_out(run: Run) -> None:
    term = {"labelSelector": {"matchLabels": {annotations.MANAGED: "true"}}, "topologyKey": "zone"}
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    workload = builders.deployment().preset().pod(affinity={"podAntiAffinity": rule}).build()
    status, _, err = run("eject", "-f", "-", stdin=json.dumps(workload))
    assert status == 0
    assert "[0].labelSelector.matchLabels.kaito.sh/managed names a key that nothing sets" in err


def test_a_gate_that_only_we_would_lift_is_taken_out() -> None:
    """The user's own gates stay."""
    gates = [{"name": "kaito.sh/capacity"}, {"name": "example.com/own"}]
    workload = builders.deployment().preset().pod(schedulingGates=gates).build()
    pod = workloads.pod_spec(ejection.ejected(expanded(workload)))
    assert pod["schedulingGates"] == gates[1:]


@pytest.mark.parametrize("text", [SERVICE, "kind: Service\nmetadata: {name: {a: b}}\n"])
def test_other_documents_pass_through_byte_for_byte(text: str, run: Run) -> None:
    assert run("eject", "-f", "-", stdin=text) == (0, text, "")


def test_a_refusal_prints_nothing(run: Run) -> None:
    status, out, err = run("eject", "-f", "-", stdin=TINY.replace("tiny-chat", "zzz"))
    assert (status, out) == (1, "")
    assert "UnknownPreset" in err
