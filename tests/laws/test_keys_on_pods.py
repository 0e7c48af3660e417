"""A label on the pod template alone does what it does on the workload; each law over 200 draws.

Charts often let their users label pods and nothing else.
"""

import copy
from typing import Any

import pytest

from presets import annotations
from tests import builders
from tests.laws import holding
from tests.laws.holding import allowed
from webhook import keys, workloads

SEEDS = range(200)
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


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pods_are_those_of_a_label_on_the_workload(seed: int) -> None:
    workload = builders.anyhow(seed)
    by_pods, by_workload = allowed(on_pods(workload)).workload, allowed(workload).workload
    assert keys.are_on_template(by_pods)
    assert workloads.pod_spec(by_pods) == workloads.pod_spec(by_workload)
    assert by_pods["spec"].get("selector") == by_workload["spec"].get("selector")


@pytest.mark.parametrize("seed", SEEDS)
def test_expansion_is_idempotent_and_its_record_is_its_inverse(seed: int) -> None:
    for stored in (builders.anyhow(seed), builders.stored(builders.anyhow(seed))):
        holding.assert_inverse(on_pods(stored))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_manifest_that_replaces_the_stored_one_rolls_no_pods(seed: int) -> None:
    before = on_pods(builders.anyhow(seed))
    old = builders.stored(allowed(builders.stored(before)).workload)
    kept = allowed(builders.stored(before), old).workload
    assert kept["spec"]["template"] == old["spec"]["template"]


@pytest.mark.parametrize("seed", SEEDS)
def test_removing_the_label_from_the_pods_undoes_the_expansion(seed: int) -> None:
    before = on_pods(builders.anyhow(seed, builders.EDITABLE))
    pod = before["spec"]["template"].setdefault("spec", {})
    pod["containers"] = pod.get("containers") or [{"name": "own"}]
    for container in workloads.containers(before):
        container["image"] = container.get("image") or "registry.example.com/own:1"
    if len(workloads.containers(before)) > 1:
        named = workloads.containers(before)[0]["name"]
        pods = before["spec"]["template"]["metadata"].setdefault("annotations", {})
        pods[annotations.CONTAINER] = named
    old = builders.stored(allowed(builders.stored(before)).workload)
    new = copy.deepcopy(old)
    del new["spec"]["template"]["metadata"]["labels"][annotations.PRESET]
    freed = allowed(new, old).workload
    template = workloads.pod_template(freed)
    pods = workloads.part(template, "metadata")
    assert annotations.PROVISION_SPEC not in pods.get("annotations", {})
    assert annotations.MANAGED not in pods.get("labels", {})
    assert annotations.EXPANSION not in workloads.part(freed, "metadata", "annotations")
    assert template["spec"] == builders.stored(before)["spec"]["template"]["spec"]
