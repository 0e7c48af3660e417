"""The laws of expansion with the keys that say what is mounted and what may be paid.

The drawn space: the workloads of `builders.anyhow` x a source of weights x none to three adapters x
a price limit or none x a cluster that mounts images or one that does not.
"""

import copy
import json
import random
from typing import Any

import jsonpatch
import pytest

from presets import annotations, catalog
from tests import builders
from webhook import adapters, admit, record, unfill, weights, workloads
from webhook.terms import Terms

SEEDS = range(200)
CATALOG = catalog.load()
SOURCES = (
    "hub",
    "image:ghcr.io/org/model:1/models",
    "image:ghcr.io/org/model:1/models/a",
    "pvc:models",
    "pvc:models/a/b",
)


def drawn(seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    workload = builders.anyhow(seed)
    held = workload["metadata"].setdefault("annotations", {})
    wish(held, draw)
    if annotations.CAPACITY_TYPE not in held and draw.random() < 0.5:
        held[annotations.MAX_PRICE_PER_HOUR] = draw.choice(["20", "100", "1000"])
    return workload


def wish(held: dict[str, Any], draw: random.Random) -> None:
    """Ask for weights and adapters by the annotations `held`."""
    held[annotations.WEIGHTS] = draw.choice(SOURCES)
    held[annotations.PROVISION] = draw.choice(["auto", "gate", "off"])
    names = draw.sample(["a", "lora", "sql-2", "n" * 63], draw.randint(0, 3))
    listed = [{"name": name, "image": f"ghcr.io/org/{name}:1"} for name in names]
    held[annotations.ADAPTERS] = json.dumps(
        [{**one, "strength": 0.25} if draw.random() < 0.5 else one for one in listed]
    )


def decided(workload: dict[str, Any], old: dict[str, Any] | None = None) -> admit.Allowed:
    """By the terms of a cluster that follows from the workload's name, as the seed does."""
    verb = admit.CREATE if old is None else admit.UPDATE
    terms = Terms(CATALOG, image_volumes=int(workload["metadata"]["name"][1:]) % 2 == 0)
    decision = admit.admit(admit.AdmissionRequest(verb, workload, old), terms)
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
def test_other_wishes_leave_nothing_of_the_ones_before(seed: int) -> None:
    old = builders.stored(decided(builders.stored(drawn(seed))).workload)
    if old["kind"] == "Job":
        return
    new, anew = copy.deepcopy(old), drawn(seed)
    for workload in (new, anew):
        wish(workload["metadata"]["annotations"], random.Random(seed + len(SEEDS)))
    expected = builders.stored(decided(builders.stored(anew)).workload)
    changed = builders.stored(decided(new, old).workload)
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


@pytest.mark.parametrize("seed", SEEDS)
def test_every_adapter_is_mounted_read_only_and_its_directory_named(seed: int) -> None:
    before = drawn(seed)
    listed = json.loads(before["metadata"]["annotations"][annotations.ADAPTERS])
    workload = decided(before).workload
    pod = workloads.pod_spec(workload)
    volumes = [v["name"] for v in pod["volumes"] if v["name"].startswith(adapters.VOLUME)]
    copiers = [c for c in pod.get("initContainers", ()) if c["name"].startswith(adapters.VOLUME)]
    mounts = {
        mount["mountPath"]: mount
        for container in pod["containers"]
        for mount in container.get("volumeMounts", ())
        if mount["name"].startswith(adapters.VOLUME)
    }
    assert list(mounts) == [f"/mnt/adapter/{one['name']}" for one in listed]
    assert [mount["name"] for mount in mounts.values()] == volumes
    assert all(mount["readOnly"] for mount in mounts.values())
    assert len(copiers) == (len(listed) if seed % 2 else 0)
    for container in pod["containers"]:
        for text in container.get("args", ()):
            if text.startswith("--adapter="):
                assert any(text.split(":")[-1].startswith(path) for path in mounts)
