"""A label on the pod template alone does what it does on the workload; each law over 200 draws.

Charts often let their users label pods and nothing else.
"""

import copy
from typing import Any

import pytest

from presets import annotations, catalog
from tests import builders
from webhook import admit, keys, record, unfill, workloads
from webhook.terms import Terms

SEEDS = range(200)
CATALOG = catalog.load()
SHAPING = frozenset(key.name for key in annotations.KEYS.values() if key.shapes_pods)


def on_pods(workload: dict[str, Any]) -> dict[str, Any]:
    """The workload with its keys on the pod template."""
    out = copy.deepcopy(workload)
    template = out.setdefault("spec", {}).setdefault("template", {}).setdefault("metadata", {})
    for field in ("labels", "annotations"):
        held = out["metadata"].get(field) or {}
        for key in [key for key in held if key in SHAPING]:
            template.setdefault(field, {})[key] = held.pop(key)
    return out


def expanded(workload: dict[str, Any]) -> dict[str, Any]:
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, workload), Terms(CATALOG))
    assert isinstance(decision, admit.Allowed), decision
    return decision.workload


def updated(new: dict[str, Any], old: dict[str, Any]) -> admit.Allowed:
    decision = admit.admit(admit.AdmissionRequest(admit.UPDATE, new, old), Terms(CATALOG))
    assert isinstance(decision, admit.Allowed), decision
    return decision


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pods_are_those_of_a_label_on_the_workload(seed: int) -> None:
    workload = builders.anyhow(seed)
    by_pods, by_workload = expanded(on_pods(workload)), expanded(workload)
    assert keys.are_on_template(by_pods)
    assert workloads.pod_spec(by_pods) == workloads.pod_spec(by_workload)
    assert by_pods["spec"].get("selector") == by_workload["spec"].get("selector")


@pytest.mark.parametrize("seed", SEEDS)
def test_expanding_twice_changes_nothing_and_the_record_undoes_it(seed: int) -> None:
    before = on_pods(builders.anyhow(seed))
    once = expanded(before)
    assert expanded(once) is once
    kept = record.of(once)
    assert kept is not None
    undone, _ = unfill.unfill(once, kept.tree)
    assert undone == before


@pytest.mark.parametrize("seed", SEEDS)
def test_a_manifest_that_replaces_the_stored_one_rolls_no_pods(seed: int) -> None:
    before = on_pods(builders.anyhow(seed))
    old = builders.stored(expanded(builders.stored(before)))
    kept = updated(builders.stored(before), old).workload
    assert kept["spec"]["template"] == old["spec"]["template"]


@pytest.mark.parametrize("seed", SEEDS)
def test_removing_the_label_from_the_pods_undoes_the_expansion(seed: int) -> None:
    before = on_pods(builders.anyhow(seed))
    for container in workloads.containers(before):
        container["image"] = container.get("image") or "registry.example.com/own:1"
    if before["kind"] == "Job" or not workloads.containers(before):
        return
    if len(workloads.containers(before)) > 1:
        named = workloads.containers(before)[0]["name"]
        pods = before["spec"]["template"]["metadata"].setdefault("annotations", {})
        pods[annotations.CONTAINER] = named
    old = builders.stored(expanded(builders.stored(before)))
    new = copy.deepcopy(old)
    del new["spec"]["template"]["metadata"]["labels"][annotations.PRESET]
    freed = updated(new, old).workload
    template = workloads.pod_template(freed)
    pods = workloads.part(template, "metadata")
    assert annotations.PROVISION_SPEC not in pods.get("annotations", {})
    assert annotations.MANAGED not in pods.get("labels", {})
    assert annotations.EXPANSION not in workloads.part(freed, "metadata", "annotations")
    assert template["spec"] == builders.stored(before)["spec"]["template"]["spec"]
