"""In a cluster without GPUs the same manifests are served, and no GPU is asked for."""

import dataclasses
import json
from typing import Any

import pytest

from presets import annotations, gpus, scheduling
from tests import builders
from tests.laws import holding
from webhook import admit, fill, workloads

SEEDS = range(200)
TERMS = dataclasses.replace(holding.TERMS, on_processors=True)


def without_gpus(seed: int) -> dict[str, Any]:
    """A workload of any shape whose containers ask for no GPU."""
    workload = builders.anyhow(seed)
    for container in workloads.containers(workload):
        container.pop("resources", None)
    return workload


@pytest.mark.parametrize("seed", SEEDS)
def test_expanding_twice_changes_nothing_and_is_undone_exactly(seed: int) -> None:
    holding.assert_inverse(without_gpus(seed), TERMS)
    holding.assert_patch_applies(without_gpus(seed), TERMS)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_asked_of_gpu_nodes(seed: int) -> None:
    before = without_gpus(seed)
    made = holding.allowed(before, terms=TERMS).workload
    holding.assert_within(before, made)
    pod, asked = workloads.pod_spec(made), json.dumps(made["spec"])
    for word in (gpus.GPU_RESOURCE, scheduling.MARKER, scheduling.SCHEDULER, annotations.MANAGED):
        assert word not in asked
    assert pod.get("tolerations") == workloads.pod_spec(before).get("tolerations")
    assert "nodeAffinity" not in workloads.part(pod, "affinity")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_keys_ask_for_the_same_pods_on_a_cluster_with_gpus(seed: int) -> None:
    """What is filled in is the same, but for what is about nodes."""
    here, there = (holding.allowed(without_gpus(seed), terms=t) for t in (TERMS, holding.TERMS))
    one, other = (holding.record_of(allowed.workload) for allowed in (here, there))
    assert (one.preset, one.container, one.inputs) == (other.preset, other.container, other.inputs)
    added, more = (workloads.part(each.tree, "spec", "template", "spec") for each in (one, other))
    of_nodes = {"affinity", "tolerations", "schedulerName", "schedulingGates"}
    assert added.keys() - {fill.CREATED} == more.keys() - {fill.CREATED} - of_nodes


def test_a_workload_that_was_made_for_gpus_keeps_them() -> None:
    """The cluster lost its GPU nodes, and the webhook was told: what is stored is not touched."""
    stored = holding.allowed(builders.deployment().preset().build()).workload
    again = holding.allowed(stored, stored, terms=TERMS)
    assert again.workload == stored


def test_a_tuning_run_is_refused() -> None:
    job = builders.job().preset("phi-3-mini-4k-instruct")
    for key, value in (
        (annotations.TUNING_METHOD, "qlora"),
        (annotations.TUNING_INPUT_URLS, "https://example.com/a.parquet"),
        (annotations.TUNING_OUTPUT_PVC, "adapters/sql"),
    ):
        job.annotation(key, value)
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, job.build()), TERMS)
    assert isinstance(decision, admit.Denied)
    assert "the cluster has no GPUs" in " ".join(error.message for error in decision.errors)
