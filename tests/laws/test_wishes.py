"""The laws of expansion with the keys that say what is mounted and what may be paid.

The drawn space: the workloads of `builders.anyhow` x a source of weights x none to three adapters x
a price limit or none x a cluster that mounts images or one that does not.
"""

import copy
import dataclasses
import json
import random
from typing import Any

import pytest

from presets import annotations
from tests import builders
from tests.laws import holding
from webhook import adapters, admit, weights, workloads
from webhook.terms import Terms

SEEDS = range(200)
SOURCES = (
    "hub",
    "image:ghcr.io/org/model:1/models",
    "image:ghcr.io/org/model:1/models/a",
    "pvc:models",
    "pvc:models/a/b",
)


def drawn(seed: int, kinds: tuple[str, ...] = builders.KINDS) -> dict[str, Any]:
    draw = random.Random(seed)
    workload = builders.anyhow(seed, kinds)
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
    return holding.allowed(workload, old, terms(workload))


def terms(workload: dict[str, Any]) -> Terms:
    """Of a cluster that follows from the workload's name, as the seed does."""
    mounts = int(workload["metadata"]["name"][1:]) % 2 == 0
    return dataclasses.replace(holding.TERMS, image_volumes=mounts)


@pytest.mark.parametrize("seed", SEEDS)
def test_expansion_is_idempotent_and_its_record_is_its_inverse(seed: int) -> None:
    for before in (drawn(seed), builders.stored(drawn(seed))):
        holding.assert_inverse(before, terms(before))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_patch_turns_the_object_into_the_expansion(seed: int) -> None:
    before = builders.stored(drawn(seed))
    holding.assert_patch_applies(before, terms(before))


@pytest.mark.parametrize("seed", SEEDS)
def test_other_wishes_leave_nothing_of_the_ones_before(seed: int) -> None:
    before, anew = (drawn(seed, builders.EDITABLE) for _ in range(2))
    old = builders.stored(decided(builders.stored(before)).workload)
    new = copy.deepcopy(old)
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
    held = [m for c in pod["containers"] for m in c.get("volumeMounts", ())]
    mounts = [m for m in held if m["name"] == weights.VOLUME]
    is_from_hub = workload["metadata"]["annotations"][annotations.WEIGHTS] == "hub"
    assert len(volumes) == len(mounts) == (0 if is_from_hub else 1)
    assert all(mount["readOnly"] for mount in mounts)


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
