"""CREATE and UPDATE x labelled, label gone, label new x user changed something or nothing.

What holds for every workload is in tests/laws/test_expansion.py; here stand the single decisions.
"""

import copy
from typing import Any

from cli import ejection
from presets import annotations, catalog, scheduling
from tests import builders
from webhook import admit, placement, reasons, record, workloads
from webhook.terms import Terms

CATALOG = catalog.load()


def create(workload: dict[str, Any]) -> admit.Decision:
    return admit.admit(admit.AdmissionRequest(admit.CREATE, workload), Terms(CATALOG))


def update(new: dict[str, Any], old: dict[str, Any]) -> admit.Decision:
    return admit.admit(admit.AdmissionRequest(admit.UPDATE, new, old), Terms(CATALOG))


def stored(workload: dict[str, Any]) -> dict[str, Any]:
    """The workload as the API server stores it after expansion."""
    decision = create(builders.stored(workload))
    assert isinstance(decision, admit.Allowed)
    return builders.stored(decision.workload)


def allowed(decision: admit.Decision) -> admit.Allowed:
    assert isinstance(decision, admit.Allowed), decision
    return decision


def reasons_of(decision: admit.Decision) -> list[str]:
    assert isinstance(decision, admit.Denied), decision
    return [error.reason for error in decision.errors]


def paths_of(decision: admit.Decision) -> list[str]:
    assert isinstance(decision, admit.Denied), decision
    return [error.path for error in decision.errors]


def container(workload: dict[str, Any]) -> dict[str, Any]:
    return workloads.containers(workload)[0]


def test_a_workload_without_the_label_is_none_of_ours() -> None:
    assert create(builders.deployment().build()) == admit.Skipped(reasons.NOT_LABELLED)


def test_another_kind_is_none_of_ours() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"labels": {"kaito.sh/preset": "x"}},
    }
    assert create(service) == admit.Skipped(reasons.UNSUPPORTED_KIND)


def test_a_delete_is_none_of_ours() -> None:
    request = admit.AdmissionRequest("DELETE", {}, builders.deployment().preset().build())
    assert admit.admit(request, Terms(CATALOG)) == admit.Skipped(reasons.UNSUPPORTED_OPERATION)


def test_a_workload_on_its_way_out_is_never_held_up() -> None:
    gone = builders.deployment().preset("no-longer-a-preset").build()
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert update(gone, gone) == admit.Skipped(reasons.BEING_DELETED)


def test_an_expansion_says_what_it_chose_in_one_line() -> None:
    decision = allowed(create(builders.deployment().preset().build()))
    assert [note.message for note in decision.notes] == [
        (
            "preset tiny-chat: 1 GPU, instance type Standard_NC4as_T4_v3 ($0.526/h)"
            " or Standard_NC8as_T4_v3 ($0.752/h)"
        )
    ]


def test_an_update_that_asks_for_nothing_says_nothing() -> None:
    old = stored(builders.deployment().preset().build())
    assert update(old, old) == admit.Allowed(old, [])


def test_the_label_may_come_later() -> None:
    old = builders.stored(builders.deployment().selector(app="x").container("m", image="i").build())
    new = copy.deepcopy(old)
    new["metadata"]["labels"] = {annotations.PRESET: "tiny-chat"}
    after = allowed(update(new, old)).workload
    assert container(after)["resources"]["limits"] == {
        "nvidia.com/gpu": "1",
        scheduling.MARKER: "1",
    }
    assert container(after)["image"] == "i"


def test_another_preset_gets_other_arguments() -> None:
    old = stored(builders.deployment().preset().build())
    new = copy.deepcopy(old)
    new["metadata"]["labels"][annotations.PRESET] = "phi-3-mini-4k-instruct"
    after = allowed(update(new, old)).workload
    assert "--model=microsoft/Phi-3-mini-4k-instruct" in container(after)["args"]
    assert after["spec"]["selector"] == old["spec"]["selector"]
    found = record.of(after)
    assert found is not None
    assert found.preset == "phi-3-mini-4k-instruct"


def test_other_instance_types_reach_affinity_and_planner_together() -> None:
    old = stored(builders.deployment().preset().build())
    new = copy.deepcopy(old)
    new["metadata"]["annotations"][annotations.INSTANCE_TYPES] = "Standard_NC24s_v3"
    template = allowed(update(new, old)).workload["spec"]["template"]
    assert "Standard_NC24s_v3" in str(template["spec"]["affinity"])
    assert "Standard_NC24s_v3" in template["metadata"]["annotations"][annotations.PROVISION_SPEC]
    assert "Standard_NC6s_v3" not in str(template["spec"]["affinity"])


def test_what_follows_from_an_edit_follows() -> None:
    """The user raises the limit to two GPUs: the request and the planner's spec go along."""
    made = builders.deployment().preset()
    old = stored(made.annotation(annotations.INSTANCE_TYPES, "Standard_NC24s_v3").build())
    new = copy.deepcopy(old)
    container(new)["resources"]["limits"]["nvidia.com/gpu"] = "2"
    template = allowed(update(new, old)).workload["spec"]["template"]
    requests = template["spec"]["containers"][0]["resources"]["requests"]
    assert requests == {"nvidia.com/gpu": "2", scheduling.MARKER: "1"}
    assert '"gpus":2' in template["metadata"]["annotations"][annotations.PROVISION_SPEC]


def test_an_edit_is_checked_even_when_the_pods_stay() -> None:
    old = stored(builders.deployment().preset().build())
    new = copy.deepcopy(old)
    new["metadata"]["annotations"][annotations.SERVICE] = "nodeport"
    assert reasons_of(update(new, old)) == [annotations.INVALID_VALUE]


def test_toggling_the_service_rolls_no_pods() -> None:
    old = stored(builders.deployment().preset().build())
    new = copy.deepcopy(old)
    new["metadata"]["annotations"][annotations.SERVICE] = "none"
    assert update(new, old) == admit.Allowed(new, [])


def test_a_workload_whose_preset_went_can_still_be_changed() -> None:
    old = stored(builders.deployment().preset().build())
    new = copy.deepcopy(old)
    new["spec"]["replicas"] = 0
    request = admit.AdmissionRequest(admit.UPDATE, new, old)
    assert admit.admit(request, Terms(catalog.Catalog([]))) == admit.Allowed(new, [])


def test_removing_the_label_from_a_stub_is_refused() -> None:
    """Without the preset nothing says what the container runs: the API server could not say why."""
    old = stored(builders.deployment().preset().build())
    new = copy.deepcopy(old)
    del new["metadata"]["labels"][annotations.PRESET]
    assert reasons_of(update(new, old)) == [reasons.NOTHING_TO_RUN]


def test_what_comes_without_label_and_record_is_what_it_is_to_be() -> None:
    """`kubectl replace` with an ejected manifest: who wrote it knew all of it."""
    old = stored(builders.deployment().preset().build())
    plain = ejection.ejected(old)
    assert update(plain, old) == admit.Skipped(reasons.NOT_LABELLED)
    assert container(plain)["image"]


def test_removing_the_label_with_an_image_in_its_place_is_let_in() -> None:
    old = stored(builders.deployment().preset().build())
    new = copy.deepcopy(old)
    del new["metadata"]["labels"][annotations.PRESET]
    container(new)["image"] = "registry.example.com/own:1"
    decision = allowed(update(new, old))
    assert decision.reason == reasons.RELEASED
    left = container(decision.workload)
    assert left["name"] == "model"
    assert left["image"] == "registry.example.com/own:1"
    assert "args" not in left
    assert "nvidia.com/gpu" not in str(decision.workload["spec"])
    assert annotations.EXPANSION not in str(decision.workload)


def test_a_stored_job_cannot_become_another_model() -> None:
    old = stored(builders.job().preset().build())
    new = copy.deepcopy(old)
    new["metadata"]["labels"][annotations.PRESET] = "phi-3-mini-4k-instruct"
    decision = update(new, old)
    assert reasons_of(decision) == [reasons.JOB_TEMPLATE_IMMUTABLE]
    assert paths_of(decision) == [f"metadata.labels[{annotations.PRESET}]"]


def test_what_cannot_change_on_a_stored_job_is_told_where_it_stands_or_stood() -> None:
    """A key that changed, one that came on the pods, and one that was taken off."""
    template = {"metadata": {"labels": {annotations.PRESET: "tiny-chat"}}}
    made = builders.job().spec(template=template).annotation(annotations.SERVICE, "none")
    old = stored(made.annotation(annotations.CAPACITY_TYPE, annotations.SPOT).build())
    new = copy.deepcopy(old)
    del new["metadata"]["annotations"][annotations.CAPACITY_TYPE]
    pods = new["spec"]["template"]["metadata"]
    pods["labels"][annotations.PRESET] = "phi-3-mini-4k-instruct"
    pods["annotations"][annotations.PROVISION] = "gate"
    assert paths_of(update(new, old)) == [
        f"metadata.annotations[{annotations.CAPACITY_TYPE}]",
        f"spec.template.metadata.annotations[{annotations.PROVISION}]",
        f"spec.template.metadata.labels[{annotations.PRESET}]",
    ]


def test_a_stored_job_cannot_opt_in() -> None:
    old = builders.stored(builders.job().container("m", image="i").build())
    new = copy.deepcopy(old)
    new["metadata"]["labels"] = {annotations.PRESET: "tiny-chat"}
    assert reasons_of(update(new, old)) == [reasons.JOB_TEMPLATE_IMMUTABLE]


def test_a_job_that_opts_out_keeps_its_template_and_says_so() -> None:
    old = stored(builders.job().preset().build())
    new = copy.deepcopy(old)
    del new["metadata"]["labels"][annotations.PRESET]
    decision = allowed(update(new, old))
    assert decision.patch == []
    assert [note.reason for note in decision.notes] == [reasons.JOB_KEPT]


def test_a_job_labelled_before_we_came_is_left_alone() -> None:
    old = builders.stored(builders.job().preset().container("m", image="i").build())
    new = copy.deepcopy(old)
    new["metadata"]["annotations"] = {"example.com/x": "y"}
    assert update(new, old) == admit.Allowed(new, [])


def test_a_suspended_job_may_change_what_kubernetes_lets_it() -> None:
    old = stored(builders.job().preset().spec(suspend=True).build())
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["nodeSelector"] = {"zone": "a"}
    assert update(new, old) == admit.Allowed(new, [])


def test_a_record_that_broke_in_the_store_blocks_nothing() -> None:
    old = stored(builders.deployment().preset().build())
    old["metadata"]["annotations"][annotations.EXPANSION] = "broken"
    new = copy.deepcopy(old)
    new["spec"]["replicas"] = 2
    assert update(new, old) == admit.Allowed(new, [])


def test_a_broken_record_can_be_taken_out() -> None:
    old = stored(builders.deployment().preset().build())
    old["metadata"]["annotations"][annotations.EXPANSION] = "broken"
    new = copy.deepcopy(old)
    del new["metadata"]["annotations"][annotations.EXPANSION]
    assert record.of(allowed(update(new, old)).workload) is not None


def test_a_container_renamed_by_the_user_is_expanded_anew() -> None:
    """A client-side apply removes the old stub and brings the new one bare."""
    old = stored(builders.deployment().preset().selector(app="x").container("one").build())
    new = builders.deployment().preset().selector(app="x").container("two").build()
    new = builders.stored(new)
    new["metadata"]["annotations"] = old["metadata"]["annotations"]
    after = allowed(update(new, old)).workload
    assert [c["name"] for c in workloads.containers(after)] == ["two"]
    assert container(after)["image"]
    found = record.of(after)
    assert found is not None
    assert found.container == "two"


def bent(workload: dict[str, Any], **fields: object) -> dict[str, Any]:
    """The workload with other fields in its pods."""
    out = copy.deepcopy(workload)
    out["spec"]["template"]["spec"].update(fields)
    return out


def test_an_expanded_manifest_keeps_the_machines_that_it_was_expanded_for() -> None:
    """Applied where others are chosen: its affinity is ours, and contradicts no wish."""
    made = stored(builders.deployment().preset("phi-3-mini-4k-instruct").build())
    elsewhere = Terms(CATALOG, cloud="aws")
    fresh = builders.deployment().preset("phi-3-mini-4k-instruct").build()
    chosen = allowed(admit.admit(admit.AdmissionRequest(admit.CREATE, fresh), elsewhere))
    assert workloads.pod_spec(chosen.workload)["affinity"] != workloads.pod_spec(made)["affinity"]
    again = admit.admit(admit.AdmissionRequest(admit.CREATE, made), elsewhere)
    assert again == admit.Allowed(made, [])


def test_the_affinity_of_an_expanded_manifest_is_not_called_the_users() -> None:
    made = stored(builders.deployment().preset().build())
    del made["spec"]["template"]["spec"]["tolerations"]
    decision = allowed(create(made))
    assert decision.patch
    assert reasons.AFFINITY_KEPT not in {note.reason for note in decision.notes}


def test_an_affinity_that_the_user_puts_in_the_place_of_ours_is_his() -> None:
    old = stored(builders.deployment().preset().build())
    type_ = {"key": placement.INSTANCE_TYPE_LABEL, "operator": "In", "values": ["other"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [type_]}]}
    new = bent(old, affinity={"nodeAffinity": {placement.REQUIRED: terms}})
    assert reasons_of(update(new, old)) == [reasons.CONTRADICTING_AFFINITY]


def test_an_image_that_the_user_puts_in_the_place_of_ours_is_his() -> None:
    made = builders.deployment().preset().annotation(annotations.RUNTIME, "transformers")
    old = stored(made.build())
    new = copy.deepcopy(old)
    container(new)["image"] = "registry.example.com/own:1"
    assert reasons_of(update(new, old)) == [annotations.MISPLACED_KEY]
