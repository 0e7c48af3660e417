"""What holds for every workload that admission accepts; each law over 200 drawn workloads.

The drawn space (`builders.anyhow`): kind x selector or none x containers null, empty, a stub, with
an image, beside an app x the user's own values for whatever the expansion would fill.
"""

import copy
import dataclasses
import random
from typing import Any

import pytest

from presets import annotations, catalog, preset
from tests import builders
from tests.laws import holding
from tests.laws.holding import allowed
from webhook import admit, updates, workloads
from webhook.terms import Terms

SEEDS = range(200)


@pytest.mark.parametrize("seed", SEEDS)
def test_expansion_is_idempotent_and_its_record_is_its_inverse(seed: int) -> None:
    for before in (builders.anyhow(seed), builders.stored(builders.anyhow(seed))):
        holding.assert_inverse(before)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_patch_turns_the_object_into_the_expansion(seed: int) -> None:
    holding.assert_patch_applies(builders.stored(builders.anyhow(seed)))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_users_values_survive(seed: int) -> None:
    before = builders.anyhow(seed)
    holding.assert_within(before, allowed(before).workload)


@pytest.mark.parametrize("seed", SEEDS)
def test_removing_the_label_undoes_the_expansion_of_a_stored_workload(seed: int) -> None:
    """All but selector and selected labels, which are immutable; later edits of the user stay."""
    before = with_images(builders.anyhow(seed, builders.EDITABLE))
    old = builders.stored(allowed(builders.stored(before)).workload)
    new = without_label(old)
    new["spec"]["template"]["spec"]["hostname"] = "edited"
    new["metadata"]["annotations"]["example.com/edited"] = "yes"
    freed = allowed(new, old).workload
    expected = builders.stored(without_label(before))
    expected["metadata"].setdefault("annotations", {})["example.com/edited"] = "yes"
    expected["spec"]["template"]["spec"]["hostname"] = "edited"
    kept = old["spec"]["selector"]
    expected["spec"]["selector"] = kept
    labels = expected["spec"]["template"]["metadata"].setdefault("labels", {})
    labels.update(kept["matchLabels"])
    assert dense(freed) == dense(expected)


def with_images(workload: dict[str, Any]) -> dict[str, Any]:
    """The workload with an image in every container, so that it runs without a preset."""
    pod = workload.setdefault("spec", {}).setdefault("template", {}).setdefault("spec", {})
    pod["containers"] = pod.get("containers") or [{"name": "own"}]
    for container in pod["containers"]:
        container["image"] = "registry.example.com/own:1"
    if len(pod["containers"]) > 1:
        held = workload["metadata"].setdefault("annotations", {})
        held[annotations.CONTAINER] = pod["containers"][0]["name"]
    return workload


def without_label(workload: dict[str, Any]) -> dict[str, Any]:
    out = copy.deepcopy(workload)
    del out["metadata"]["labels"][annotations.PRESET]
    return out


def dense(value: Any) -> Any:
    if isinstance(value, dict):
        parts = {key: dense(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part not in (None, {}, [])}
    return [dense(part) for part in value] if isinstance(value, list) else value


def later() -> Terms:
    """Those of a later version: every preset has other weights and other machines."""
    now = holding.TERMS.presets
    changed = (
        dataclasses.replace(
            known,
            weights=preset.Weights(source="other/weights", revision="f" * 40, size_bytes=2**40),
            instance_types=("Standard_NC96ads_A100_v4",),
            gpus=4,
        )
        for known in map(now.find, now.names)
        if known is not None
    )
    return Terms(catalog.Catalog(changed))


LATER = later()


@pytest.mark.parametrize("seed", SEEDS)
def test_an_update_after_an_upgrade_rolls_no_pods(seed: int) -> None:
    """Whatever else changes, the template and the revision stay as they were stored."""
    old = builders.stored(allowed(builders.stored(builders.anyhow(seed))).workload)
    new = copy.deepcopy(old)
    new["metadata"].setdefault("annotations", {})["example.com/touched"] = "yes"
    new["spec"]["replicas"] = 7
    assert allowed(new, old, LATER).patch == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_manifest_that_replaces_the_stored_one_rolls_no_pods(seed: int) -> None:
    """`kubectl replace` and a first server-side apply arrive with nothing filled."""
    before = builders.anyhow(seed)
    old = builders.stored(allowed(builders.stored(before)).workload)
    kept = allowed(builders.stored(before), old, LATER).workload
    assert kept["spec"]["template"] == old["spec"]["template"]
    assert dense(kept["spec"]) == dense(old["spec"])
    assert holding.record_of(kept) == holding.record_of(old)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stored_jobs_template_stays_whatever_arrives(seed: int) -> None:
    before = builders.anyhow(seed, ("Job",))
    old = builders.stored(allowed(builders.stored(before)).workload)
    for new in (builders.stored(before), without_label(old), old):
        kept = allowed(new, old, LATER).workload
        assert kept["spec"]["template"] == old["spec"]["template"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_later_edit_of_the_user_wins(seed: int) -> None:
    """What the user changes after expansion is kept, and from then on counts as the user's."""
    old = builders.stored(
        allowed(builders.stored(builders.anyhow(seed, builders.EDITABLE))).workload
    )
    new = copy.deepcopy(old)
    edited = [{"operator": "Exists", "effect": "NoExecute"}]
    new["spec"]["template"]["spec"]["tolerations"] = edited
    after = allowed(new, old).workload
    assert workloads.pod_spec(after)["tolerations"] == edited
    tree = workloads.part(holding.record_of(after).tree, "spec", "template", "spec")
    assert "tolerations" not in tree


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_json_arrives_there_is_an_answer(seed: int) -> None:
    """Parts of a workload replaced by other JSON: allowed, denied or skipped, no exception."""
    draw = random.Random(seed)
    for _ in range(10):
        workload = builders.anyhow(seed)
        old = allowed(builders.anyhow(seed)).workload
        for _ in range(draw.randint(1, 3)):
            spoil(draw, draw.choice([workload, old]))
        for operation, before in ((admit.CREATE, None), (admit.UPDATE, old)):
            request = admit.AdmissionRequest(operation, workload, before)
            decision = admit.admit(request, holding.TERMS)
            assert isinstance(decision, admit.Allowed | admit.Denied | admit.Skipped)


def spoil(draw: random.Random, value: dict[str, Any]) -> None:
    """Put other JSON somewhere into `value`."""
    here: Any = value
    while True:
        places = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not places:
            return
        place = draw.choice(places)
        if isinstance(here[place], dict | list) and draw.random() < 0.8:
            here = here[place]
            continue
        here[place] = draw.choice([None, 1, True, "x", [], {}, [1], [[]], {"a": {}}, {"": [None]}])
        return


def test_the_drawn_space_is_covered() -> None:
    """The laws are only as good as what they are tried on."""
    drawn = [builders.anyhow(seed) for seed in SEEDS]
    assert {workload["kind"] for workload in drawn} == {"Deployment", "StatefulSet", "Job"}
    pods = [workloads.pod_spec(workload) for workload in drawn]
    assert any(pod.get("containers", 0) is None for pod in pods)
    assert any(pod.get("containers") == [] for pod in pods)
    assert any(len(pod.get("containers") or ()) == 2 for pod in pods)
    assert sum(updates.without_record(workload) is workload for workload in drawn) == len(SEEDS)
