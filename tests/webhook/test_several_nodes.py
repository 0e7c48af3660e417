"""A model over several machines: which are taken, what the pods are told, what an update may do."""

import copy
from typing import Any

import pytest

from presets import annotations, catalog, runtime_args
from presets.runtime_args import nodes
from tests import builders
from tests.builders import stored
from tests.golden_terms import TERMS
from webhook import admit, machines, reasons, workloads
from webhook.terms import Terms

H100, H200, A100 = (
    "Standard_ND96isr_H100_v5",
    "Standard_ND96isr_H200_v5",
    "Standard_NC96ads_A100_v4",
)


def asked(types: str = H100, **spec: Any) -> builders.Workload:
    made = builders.stateful_set("big").preset("deepseek-r1-0528").spec(**spec)
    return made.annotation(annotations.INSTANCE_TYPES, types)


def decided(new: dict[str, Any], old: dict[str, Any] | None = None) -> admit.Decision:
    verb = admit.CREATE if old is None else admit.UPDATE
    return admit.admit(admit.AdmissionRequest(verb, new, old), TERMS)


def allowed(new: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    decision = decided(new, old)
    assert isinstance(decision, admit.Allowed), decision
    return decision.workload


def denied(new: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    decision = decided(new, old)
    assert isinstance(decision, admit.Denied), decision
    return [error.reason for error in decision.errors]


def running(types: str = H100, **spec: Any) -> dict[str, Any]:
    """As stored."""
    return stored(allowed(stored(asked(types, **spec).build())))


def changed(old: dict[str, Any], types: str = H100, **spec: Any) -> dict[str, Any]:
    new = copy.deepcopy(old)
    new["metadata"]["annotations"][annotations.INSTANCE_TYPES] = types
    new["spec"].update(spec)
    return new


@pytest.mark.parametrize(
    ("named", "limit", "names", "count"),
    [
        ((H100,), None, (H100,), 2),
        ((A100, H100), None, (A100,), 3),
        ((H100, H200), None, (H200,), 1),
        ((), None, (H200,), 1),
        ((), 50, (A100,), 3),
        ((A100,), 50, (A100,), 3),
        ((A100, H100), 44, (), 0),
    ],
)
def test_machines_are_joined_where_none_holds_it_alone_for_the_price(
    named: tuple[str, ...], limit: int | None, names: tuple[str, ...], count: int
) -> None:
    """The limit is that of one replica, all its machines; those taken are alike."""
    model = catalog.load().find("deepseek-r1-0528")
    assert model is not None
    amount = None if limit is None else limit * 1_000_000
    found = machines.find(model, machines.Wanted(named, limit=amount, joins=True))
    taken = (found.names, found.split.nodes) if isinstance(found, machines.Machines) else ((), 0)
    assert taken == (names, count)


@pytest.mark.parametrize("index", [0, 1])
def test_what_each_pod_is_told_is_what_the_program_reads(index: int) -> None:
    """Here the kubelet is played: it takes the rank from the label of the pod's index."""
    (container,) = workloads.containers(running(serviceName="pods"))
    labels = {f"metadata.labels['{nodes.INDEX_LABEL}']": str(index)}
    environ = {
        one["name"]: one.get("value") or labels[one["valueFrom"]["fieldRef"]["fieldPath"]]
        for one in container["env"]
    }
    assert nodes.read(environ) == nodes.Part(2, index, "big-0.pods", 8)
    args = runtime_args.ServeArgs.from_argv(container["args"])
    assert args.tensor_parallel * args.pipeline_parallel == 2 * 8


@pytest.mark.parametrize("replicas", [1, 3])
def test_another_number_of_pods_is_refused_after_the_start_too(replicas: int) -> None:
    """Whoever wrote the number first: us, or the user."""
    old = running(replicas=2)
    assert denied(changed(old, replicas=replicas), old) == [reasons.OTHER_REPLICAS]
    filled = running()
    assert denied(changed(filled, replicas=3), filled) == [reasons.OTHER_REPLICAS]
    expanded = changed(allowed(asked().build()), replicas=3)
    assert denied(expanded) == [reasons.OTHER_REPLICAS]


def test_it_may_be_stopped_and_started_again() -> None:
    old = running()
    stopped = allowed(changed(old, replicas=0), old)
    assert stopped["spec"]["replicas"] == 0
    assert allowed(changed(stopped, replicas=2), stopped)["spec"]["replicas"] == 2


def test_other_machines_make_another_number_of_pods() -> None:
    old = running()
    three = allowed(changed(old, A100), old)["spec"]
    assert (three["replicas"], nodes.node_count(workloads.containers({"spec": three}))) == (3, 3)
    one = allowed(changed(old, H200), old)["spec"]
    assert (one["replicas"], nodes.node_count(workloads.containers({"spec": one}))) == (1, 1)
    assert "schedulingGates" not in one["template"]["spec"]


def test_what_was_made_for_one_machine_is_not_spread_over_several() -> None:
    """The API server would refuse the change of policy, with words that help nobody."""
    old = running(H200)
    assert denied(changed(old), old) == [reasons.STATEFUL_SET_IMMUTABLE] * 2
    ready = running(H200, podManagementPolicy="Parallel", serviceName="pods")
    assert allowed(changed(ready), ready)["spec"]["replicas"] == 2


def test_what_the_user_changes_of_it_is_the_api_servers_to_refuse() -> None:
    """In its own words, for a model on one machine as for any other StatefulSet."""
    old = running(H200, serviceName="pods")
    new = changed(old, serviceName="other")
    new["metadata"]["annotations"][annotations.INSTANCE_TYPES] = H200
    new["spec"]["template"]["spec"]["hostname"] = "edited"
    assert allowed(new, old)["spec"]["serviceName"] == "other"


def test_a_server_of_the_users_own_is_spread_by_the_user() -> None:
    own = {"name": "own", "image": "registry.example.com/own:1"}
    spec = allowed(asked(replicas=5).pod(containers=[own]).build())["spec"]
    assert (spec["replicas"], "serviceName" in spec) == (5, False)


def test_of_our_own_choice_only_our_server_is_spread() -> None:
    """Where the price limit leaves no machine that holds it alone; expanded twice as well."""
    made = builders.stateful_set("big").preset("deepseek-r1-0528")
    made.annotation(annotations.MAX_PRICE_PER_HOUR, "50")
    once = allowed(made.build())
    assert once["spec"]["replicas"] == 3
    assert allowed(once) is once
    own = {"name": "own", "image": "registry.example.com/own:1"}
    assert denied(made.pod(containers=[own]).build()) == [reasons.PRICE_UNKNOWN]


@pytest.mark.parametrize("is_able", [True, False])
def test_a_deployment_is_told_of_stateful_sets_by_an_image_that_can(*, is_able: bool) -> None:
    made = builders.deployment("big").preset("deepseek-r1-0528")
    made.annotation(annotations.INSTANCE_TYPES, H100)
    terms = TERMS if is_able else Terms(TERMS.presets)
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, made.build()), terms)
    assert isinstance(decision, admit.Denied)
    (error,) = decision.errors
    assert error.reason == reasons.DOES_NOT_FIT
    assert error.hint.startswith(f"a StatefulSet spreads it over 2 of {H100}") is is_able
    assert H200 in error.hint


def test_a_service_that_is_no_name_is_refused() -> None:
    assert denied(asked(serviceName=["pods"]).build()) == [reasons.MALFORMED_OBJECT]


def test_what_only_transformers_may_serve_is_not_spread() -> None:
    made = asked().annotation(annotations.RUNTIME, "transformers").build()
    assert denied(made) == [reasons.DOES_NOT_FIT]
