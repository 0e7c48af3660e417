"""What holds for every StatefulSet whose model takes several machines; each law over 200 drawn.

The drawn space: model and machines of two counts x selector or none x replicas absent, the API
server's, the machines', none x Service, policy and affinity of the user's own or none x how nodes
are bought x pods null, empty, a stub, a stub beside an app.
"""

import copy
import random
from typing import Any

import kubernetes_validate
import pytest

from presets import annotations, forms
from presets.runtime_args import nodes
from tests import builders
from tests.builders import stored
from tests.golden_terms import TERMS
from tests.laws import holding
from tests.laws.test_expansion import dense, without_label
from webhook import admit, workloads

SEEDS = range(200)
MACHINES = {
    "deepseek-r1-0528": {"Standard_ND96isr_H100_v5": 2, "Standard_NC96ads_A100_v4": 3},
    "kimi-k2.6": {"Standard_NC96ads_A100_v4": 2},
}


def drawn(seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    model = draw.choice(list(MACHINES))
    machine, count = draw.choice(list(MACHINES[model].items()))
    out = builders.stateful_set(f"w{seed}").preset(model)
    out.annotation(annotations.INSTANCE_TYPES, machine)
    if draw.random() < 0.5:
        out.selector(app=f"w{seed}")
    if draw.random() < 0.5:
        provision = draw.choice([forms.OFF, forms.GATE, forms.AUTO])
        out.annotation(annotations.PROVISION, provision)
    some = {
        "replicas": draw.choice([0, 1, count]),
        "podManagementPolicy": draw.choice(["OrderedReady", "Parallel"]),
        "serviceName": draw.choice(["", "own"]),
        "minReadySeconds": 5,
    }
    out.spec(**{key: value for key, value in some.items() if draw.random() < 0.4})
    out.pod(**pod(draw))
    return out.build()


def pod(draw: random.Random) -> dict[str, Any]:
    preferred: dict[str, Any] = {"preferredDuringSchedulingIgnoredDuringExecution": []}
    some: dict[str, Any] = {
        "tolerations": [{"operator": "Exists"}],
        "affinity": draw.choice([{"podAffinity": preferred}, {"podAntiAffinity": {}}]),
        "schedulingGates": [{"name": "example.com/own"}],
        "securityContext": {"runAsUser": 1000},
    }
    fields = {key: value for key, value in some.items() if draw.random() < 0.3}
    stub: dict[str, Any] = {"name": "own"}
    if draw.random() < 0.3:
        stub["env"] = [{"name": nodes.LEADER, "value": "own"}, {"name": "A", "value": "b"}]
    app = {"name": "app", "image": "registry.example.com/app:1"}
    fields["containers"] = draw.choice([None, [], [stub], [app, stub]])
    return fields


def decided(workload: dict[str, Any], old: dict[str, Any] | None = None) -> admit.Allowed:
    return holding.allowed(workload, old, TERMS)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_pod_has_one_machine_and_all_start_at_once(seed: int) -> None:
    """Whatever was absent or the API server's; the user's 0 keeps it stopped."""
    before = drawn(seed)
    (machine,) = before["metadata"]["annotations"][annotations.INSTANCE_TYPES].split(",")
    count = MACHINES[before["metadata"]["labels"][annotations.PRESET]][machine]
    for given in (before, stored(before)):
        spec = decided(given).workload["spec"]
        assert spec["replicas"] == (0 if before["spec"].get("replicas") == 0 else count)
        assert spec["podManagementPolicy"] == "Parallel"
        assert spec["serviceName"] in ("own", f"w{seed}-headless")
        assert nodes.node_count(spec["template"]["spec"]["containers"]) == count


@pytest.mark.parametrize("seed", SEEDS)
def test_expansion_is_idempotent_and_its_record_is_its_inverse(seed: int) -> None:
    for before in (drawn(seed), stored(drawn(seed))):
        holding.assert_inverse(before, TERMS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_patch_turns_the_object_into_the_expansion(seed: int) -> None:
    holding.assert_patch_applies(stored(drawn(seed)), TERMS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_users_values_survive(seed: int) -> None:
    """All but those that the API server writes itself, where nobody else did."""
    before = drawn(seed)
    for key, default in (("replicas", 1), ("podManagementPolicy", "OrderedReady")):
        if before["spec"].get(key) == default:
            del before["spec"][key]
    holding.assert_within(before, decided(before).workload)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_follows_the_schema_of_kubernetes(seed: int) -> None:
    kubernetes_validate.validate(decided(drawn(seed)).workload, "1.36", strict=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_manifest_that_replaces_the_stored_one_changes_nothing(seed: int) -> None:
    """Neither the pods nor what the API server lets nobody change, nor a scale to 0."""
    before = drawn(seed)
    old = stored(decided(stored(before)).workload)
    if random.Random(seed).random() < 0.3 and "replicas" not in before["spec"]:
        old["spec"]["replicas"] = 0
    kept = decided(stored(before), old).workload
    assert dense(kept["spec"]) == dense(old["spec"])
    assert holding.record_of(kept) == holding.record_of(old)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_the_label_it_is_the_users_own_but_for_what_cannot_change(seed: int) -> None:
    before = drawn(seed)
    containers = before["spec"]["template"]["spec"]["containers"]
    if not containers:
        return
    old = stored(decided(stored(before)).workload)
    new = without_label(old)
    for container in workloads.containers(new):
        container["image"] = "registry.example.com/own:1"
    freed = decided(new, old).workload["spec"]
    expected = stored(before)["spec"]
    assert freed["replicas"] == expected["replicas"]
    for field in ("podManagementPolicy", "serviceName", "selector"):
        assert freed[field] == old["spec"][field]
    assert nodes.node_count(freed["template"]["spec"]["containers"]) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_an_edit_of_its_pods_starts_nothing_that_was_stopped(seed: int) -> None:
    before = drawn(seed)
    old = stored(decided(stored(before)).workload)
    old["spec"]["replicas"] = 0  # `kubectl scale` asks no webhook about the StatefulSet
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["hostname"] = "edited"
    assert decided(new, old).workload["spec"]["replicas"] == 0
