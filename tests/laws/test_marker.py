"""The marker and our scheduler: together or not at all, and never in what is bought.

Rows of the fault cases: E22, C18.
"""

import dataclasses
import random
from typing import Any

import pytest

from kubeapi import objects
from node_provisioner import demand, dialects, limits, plan, views
from presets import annotations, scheduling
from tests import builders
from tests.laws import holding
from webhook import workloads
from webhook.terms import Terms

SEEDS = range(200)
OWN = ("", scheduling.DEFAULT_SCHEDULER, scheduling.SCHEDULER, "volcano")


def expanded(seed: int, own: str, terms: Terms) -> dict[str, Any]:
    """A workload of any shape, whose pods name that scheduler."""
    workload = builders.anyhow(seed)
    if own:
        template = workload.setdefault("spec", {}).setdefault("template", {})
        template.setdefault("spec", {})["schedulerName"] = own
    if seed % 5 == 0:
        noted = workload["metadata"].setdefault("annotations", {})
        noted[annotations.PROVISION] = "off"
    return holding.allowed(workload, terms=terms).workload


def marked(workload: dict[str, Any]) -> bool:
    """Whether a container asks for the marker."""
    containers = workloads.containers(workload)
    return any(scheduling.MARKER in objects.requests(one) for one in containers)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pod_has_both_or_neither(seed: int) -> None:
    """E22: the marker alone waits for ever; our scheduler alone asks nobody."""
    own = random.Random(seed).choice(OWN)
    made = expanded(seed, own, holding.TERMS)
    name = workloads.pod_spec(made).get("schedulerName")
    is_off = made["metadata"].get("annotations", {}).get(annotations.PROVISION) == "off"
    assert marked(made) == (own != "volcano" and not is_off)
    assert name == (scheduling.SCHEDULER if marked(made) else own or None)


@pytest.mark.parametrize("seed", SEEDS[:50])
def test_where_our_scheduler_does_not_run_pods_are_left_to_theirs(seed: int) -> None:
    own = random.Random(seed).choice(["", scheduling.DEFAULT_SCHEDULER, "volcano"])
    made = expanded(seed, own, dataclasses.replace(holding.TERMS, scheduler=""))
    assert not marked(made)
    assert workloads.pod_spec(made).get("schedulerName") == (own or None)


@pytest.mark.parametrize("seed", SEEDS[:50])
def test_no_claim_asks_for_the_marker(seed: int) -> None:
    """C18: its node would be waited for, for ever."""
    made = expanded(seed * 5 + 1, "", holding.TERMS)
    assert marked(made)
    template = workloads.pod_template(made)
    meta = {"name": "p", "namespace": "default", "uid": "u", **template["metadata"]}
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    pod = views.pod(
        {"metadata": meta, "spec": template["spec"], "status": {"conditions": [refused]}}
    )
    assert pod is not None
    decided = plan.plan(demand.unmet([pod]), [], limits.Limits(9), plan.Past())
    assert decided.create
    for claim in decided.create:
        for build in dialects.DIALECTS.values():
            assert scheduling.MARKER not in str(build(claim))
