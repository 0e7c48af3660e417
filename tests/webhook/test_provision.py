"""Pods that nothing is bought for, which the planner must not see, and those it is to hold back."""

import copy
from typing import Any

import pytest

from presets import annotations, scheduling
from tests import builders
from tests.laws import holding
from tests.laws.holding import allowed
from tests.webhook.cluster import template
from webhook import admit, node_rules, placement, reasons


def decided(provision: str) -> admit.Allowed:
    made = builders.deployment().preset().annotation(annotations.PROVISION, provision).build()
    return allowed(made)


def ours(pods: dict[str, Any]) -> set[str]:
    held = {**pods["metadata"]["labels"], **pods["metadata"].get("annotations", {})}
    return {key for key in held if key.startswith(annotations.PREFIX)}


def test_the_planner_does_not_see_the_pods_and_they_run_all_the_same() -> None:
    off, auto = decided("off"), decided("auto")
    assert ours(template(auto.workload)) == {annotations.MANAGED, annotations.PROVISION_SPEC}
    assert ours(template(off.workload)) == set()
    without = copy.deepcopy(template(auto.workload)["spec"])
    assert without.pop("schedulerName") == scheduling.SCHEDULER
    for amounts in without["containers"][0]["resources"].values():
        del amounts[scheduling.MARKER]
    assert template(off.workload)["spec"] == without


def test_the_user_is_told_what_the_pods_wait_for() -> None:
    (note,) = (n for n in decided("off").notes if n.reason == reasons.NOTHING_BOUGHT)
    assert note.message == (
        "nothing is bought: pods wait for a node of Standard_NC4as_T4_v3 or Standard_NC8as_T4_v3"
        " with 1 free GPU"
    )


@pytest.mark.parametrize(
    ("provision", "operator", "values", "refused"),
    [
        ("auto", "NotIn", ["on-demand"], True),
        ("off", "NotIn", ["on-demand"], False),
        ("off", "In", ["reserved"], False),
        ("off", "DoesNotExist", None, False),
    ],
)
def test_how_the_user_got_nodes_of_their_own_is_not_known(
    provision: str, operator: str, values: list[str] | None, *, refused: bool
) -> None:
    one = {"key": node_rules.CAPACITY_TYPE, "operator": operator, "values": values}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [one]}]}
    made = builders.deployment().preset().annotation(annotations.PROVISION, provision)
    before = made.pod(affinity={"nodeAffinity": {placement.REQUIRED: terms}}).build()
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, before), holding.TERMS)
    assert isinstance(decision, admit.Denied) is refused


def test_nothing_bought_and_bought_again_leaves_no_trace() -> None:
    """Both ways, as later edits of a stored workload."""
    off, auto, gate = (builders.stored(decided(way).workload) for way in ("off", "auto", "gate"))
    for old, way, expected in (
        (off, "auto", auto),
        (auto, "off", off),
        (auto, "gate", gate),
        (gate, "auto", auto),
        (gate, "off", off),
    ):
        new = {**old, "metadata": {**old["metadata"]}}
        noted = {**old["metadata"]["annotations"], annotations.PROVISION: way}
        new["metadata"]["annotations"] = noted
        decision = allowed(new, old)
        assert ours(template(decision.workload)) == ours(template(expected))
        again = builders.stored(decision.workload)
        assert template(again)["spec"] == template(expected)["spec"]


def test_a_gate_holds_the_pods_that_the_planner_sees() -> None:
    gated, auto = decided("gate"), decided("auto")
    spec = dict(template(gated.workload)["spec"])
    assert spec.pop("schedulingGates") == [{"name": annotations.GATE}]
    assert spec == template(auto.workload)["spec"]
    assert ours(template(gated.workload)) == ours(template(auto.workload))
    assert reasons.PODS_GATED in {note.reason for note in gated.notes}


def test_a_gate_stands_beside_the_users_own_and_goes_alone() -> None:
    """And the record gives the user's back, whatever the order of later edits."""
    own = [{"name": "example.com/mine"}]
    made = builders.deployment().preset().annotation(annotations.PROVISION, "gate")
    before = made.pod(schedulingGates=own).build()
    decision = allowed(before)
    gates = template(decision.workload)["spec"]["schedulingGates"]
    assert gates == [*own, {"name": annotations.GATE}]
    old = builders.stored(decision.workload)
    new = {**old, "metadata": {**old["metadata"]}}
    noted = {**old["metadata"]["annotations"], annotations.PROVISION: "auto"}
    new["metadata"]["annotations"] = noted
    after = allowed(new, old)
    assert template(after.workload)["spec"]["schedulingGates"] == own
