"""Which rules of the user about nodes are certain to keep the pods from their nodes."""

from typing import Any

import pytest

from webhook import node_rules, placement

NODE = node_rules.labels("Standard_NC6s_v3", "on-demand")
TYPE, ZONE = placement.INSTANCE_TYPE_LABEL, "topology.kubernetes.io/zone"


def affinity(*terms: Any) -> dict[str, Any]:
    return {"affinity": {"nodeAffinity": {placement.REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


def term(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("terms", "let_in"),
    [
        ([], True),
        ([term(TYPE, "In", "Standard_NC6s_v3", "other")], True),
        ([term(TYPE, "In", "other")], False),
        ([term(TYPE, "NotIn", "Standard_NC6s_v3")], False),
        ([term(TYPE, "Exists")], True),
        ([term(TYPE, "DoesNotExist")], False),
        ([term(TYPE, "In", "other"), term(ZONE, "In", "a")], True),
        ([term(ZONE, "In", "a")], True),
        ([term(node_rules.ARCHITECTURE, "In", "arm64")], False),
        ([term(node_rules.CAPACITY_TYPE, "In", "spot")], False),
        ([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}], True),
        ([1, None, {"matchExpressions": "x"}], True),
        ([term(TYPE, "Gt", "1")], True),
    ],
)
def test_a_required_affinity(terms: list[Any], *, let_in: bool) -> None:
    assert node_rules.is_let_in(affinity(*terms), NODE) is let_in


@pytest.mark.parametrize(
    ("selector", "keys"),
    [
        ({}, ()),
        ({"zone": "a", node_rules.SYSTEM: "linux"}, ()),
        ({node_rules.SYSTEM: "windows"}, (node_rules.SYSTEM,)),
        ({node_rules.CAPACITY_TYPE: "spot"}, (node_rules.CAPACITY_TYPE,)),
        ({TYPE: "other"}, ()),
    ],
)
def test_a_node_selector(selector: dict[str, str], keys: tuple[str, ...]) -> None:
    """The instance type has rules of its own: by it the node is chosen."""
    assert node_rules.unmatched({"nodeSelector": selector}, NODE) == keys


@pytest.mark.parametrize(
    ("tolerations", "places"),
    [
        ([], []),
        ([{"key": "mine", "operator": "Exists"}], []),
        ([{"key": "sku", "operator": "Equal", "value": "cpu"}], [0]),
        ([{"key": "sku", "value": "cpu"}, {"key": "sku", "operator": "Exists"}], []),
        ([{"operator": "Exists", "effect": "NoExecute"}], []),
    ],
)
def test_a_toleration_that_misses_the_taint_whose_key_it_has(
    tolerations: list[dict[str, str]], places: list[int]
) -> None:
    found = node_rules.wrong_tolerations({"tolerations": tolerations})
    assert [place for place, _ in found] == places
