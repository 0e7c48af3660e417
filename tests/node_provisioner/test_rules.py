"""Which nodes a pod's own rules admit.

Cases: operator x label there with a value that fits, with another, absent x node there or to come.
"""

from collections.abc import Mapping

import pytest

from node_provisioner import rules

_TERM = "requiredDuringSchedulingIgnoredDuringExecution"


def _rules(*expressions: Mapping[str, object], **spec: object) -> rules.Rules:
    terms = [{"matchExpressions": [expression]} for expression in expressions]
    affinity = {"nodeAffinity": {_TERM: {"nodeSelectorTerms": terms}}} if terms else {}
    return rules.of_pod({"affinity": affinity} | spec)


@pytest.mark.parametrize(
    ("operator", "values", "same", "other", "absent"),
    [
        ("In", ["4", "5"], True, False, False),
        ("NotIn", ["4"], False, True, True),
        ("Exists", [], True, True, False),
        ("DoesNotExist", [], False, False, True),
        ("Gt", ["3"], True, True, False),
        ("Lt", ["5"], True, False, False),
        ("Later", ["4"], False, False, False),
    ],
)
def test_an_operator_holds_as_in_the_scheduler(
    operator: str,
    values: list[str],
    same: bool,  # noqa: FBT001 - a parameter of the case
    other: bool,  # noqa: FBT001 - a parameter of the case
    absent: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    found = _rules({"key": "k", "operator": operator, "values": values})
    assert found.admit({"k": "4"}, complete=True) is same
    assert found.admit({"k": "9"}, complete=True) is other
    assert found.admit({}, complete=True) is absent
    assert found.admit({}, complete=False)  # what is not known yet may be anything


def test_terms_are_alternatives_and_the_selector_holds_in_each() -> None:
    one = {"key": "zone", "operator": "In", "values": ["a"]}
    two = {"key": "zone", "operator": "In", "values": ["b"]}
    found = _rules(one, two, nodeSelector={"gpu": "yes"})
    assert found.admit({"zone": "b", "gpu": "yes"}, complete=True)
    assert not found.admit({"zone": "b"}, complete=True)
    assert not found.admit({"zone": "c", "gpu": "yes"}, complete=True)


def test_a_term_without_requirements_matches_nothing() -> None:
    terms: dict[str, object] = {"nodeAffinity": {_TERM: {"nodeSelectorTerms": [{}]}}}
    assert not rules.of_pod({"affinity": terms}).admit({}, complete=False)


def test_a_node_can_be_named() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    terms = {"nodeAffinity": {_TERM: {"nodeSelectorTerms": [{"matchFields": [field]}]}}}
    found = rules.of_pod({"affinity": terms})
    assert found.admit({rules.NAME: "n1"}, complete=True)
    assert not found.admit({rules.NAME: "n2"}, complete=True)


def test_zones_are_those_that_are_named_in_order() -> None:
    zones = {"key": rules.ZONE, "operator": "In", "values": ["b", "a"]}
    assert _rules(zones).zones == ("b", "a")
    assert _rules(nodeSelector={rules.ZONE: "c"}).zones == ("c",)
    assert _rules().zones == ()


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}, True),
        ({"key": "sku", "operator": "Equal", "value": "cpu"}, False),
        ({"key": "sku", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "sku", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_taint_keeps_away_who_does_not_tolerate_it(
    toleration: dict[str, str],
    tolerated: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    taints = rules.taints({"taints": [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}]})
    assert _rules(tolerations=[toleration]).admit({}, taints, complete=True) is tolerated
    assert not _rules().admit({}, taints, complete=True)


def test_passing_and_soft_taints_keep_nobody_away() -> None:
    passing = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
    soft = {"key": "mine", "effect": "PreferNoSchedule"}
    assert rules.taints({"taints": [passing, soft]}) == ()
