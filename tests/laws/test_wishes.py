"""The laws of expansion with the keys that say where weights come from and what may be paid.

The drawn space: the workloads of `builders.anyhow` x a source of weights x a price limit or none.
"""

import copy
import random
from typing import Any

import jsonpatch
import pytest

from presets import annotations, catalog
from tests import builders
from webhook import admit, record, unfill, weights, workloads
from webhook.terms import Terms

SEEDS = range(200)
CATALOG = catalog.load()
SOURCES = (
    "hub",
    "image:ghcr.io/org/model:1",
    "image:ghcr.io/org/model:1/models/a",
    "pvc:models",
    "pvc:models/a/b",
)


def drawn(seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    workload = builders.anyhow(seed)
    held = workload["metadata"].setdefault("annotations", {})
    held[annotations.WEIGHTS] = draw.choice(SOURCES)
    if annotations.CAPACITY_TYPE not in held and draw.random() < 0.5:
        held[annotations.MAX_PRICE_PER_HOUR] = draw.choice(["20", "100", "1000"])
    return workload


def decided(workload: dict[str, Any], old: dict[str, Any] | None = None) -> admit.Allowed:
    verb = admit.CREATE if old is None else admit.UPDATE
    decision = admit.admit(admit.AdmissionRequest(verb, workload, old), Terms(CATALOG))
    assert isinstance(decision, admit.Allowed), decision
    return decision


@pytest.mark.parametrize("seed", SEEDS)
def test_expansion_is_idempotent_and_its_record_is_its_inverse(seed: int) -> None:
    before = drawn(seed)
    once = decided(before).workload
    assert decided(once).patch == []
    kept = record.of(once)
    assert kept is not None
    assert unfill.unfill(once, kept.tree)[0] == before


@pytest.mark.parametrize("seed", SEEDS)
def test_the_patch_turns_the_object_into_the_expansion(seed: int) -> None:
    before = builders.stored(drawn(seed))
    untouched = copy.deepcopy(before)
    decision = decided(before)
    assert before == untouched
    assert jsonpatch.apply_patch(before, decision.patch) == decision.workload


@pytest.mark.parametrize("seed", SEEDS)
def test_another_source_of_weights_leaves_nothing_of_the_one_before(seed: int) -> None:
    old = builders.stored(decided(builders.stored(drawn(seed))).workload)
    if old["kind"] == "Job":
        return
    new, anew = copy.deepcopy(old), drawn(seed)
    source = random.Random(-seed).choice(SOURCES)
    for workload in (new, anew):
        workload["metadata"]["annotations"][annotations.WEIGHTS] = source
    expected = builders.stored(decided(builders.stored(anew)).workload)
    changed = decided(new, old).workload
    assert workloads.pod_spec(changed) == workloads.pod_spec(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_volume_of_weights_is_mounted_read_only_or_not_there(seed: int) -> None:
    workload = decided(drawn(seed)).workload
    pod = workloads.pod_spec(workload)
    volumes = [v for v in pod["volumes"] if v["name"] == weights.VOLUME]
    mounts = [
        m
        for container in pod["containers"]
        for m in container["volumeMounts"] if m["name"] == weights.VOLUME
    ] if len(pod["containers"]) == 1 else volumes  # fmt: skip
    is_from_hub = workload["metadata"]["annotations"][annotations.WEIGHTS] == "hub"
    assert len(volumes) == len(mounts) == (0 if is_from_hub else 1)
    assert all(mount.get("readOnly", True) for mount in mounts)
