"""Whether the user's own node selector, affinity and tolerations let the pods onto their nodes.

Only what is certain counts: a label that nobody can know beforehand, such as a zone, may match.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from presets import gpus
from webhook import placement, workloads

ARCHITECTURE = "kubernetes.io/arch"
SYSTEM = "kubernetes.io/os"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
"""Node label of Karpenter and of what speaks its API."""

ZONE = "topology.kubernetes.io/zone"
Labels = Mapping[str, str]


def are_any(pod: Mapping[str, Any]) -> bool:
    """Whether the user has rules about nodes at all."""
    return bool(pod.get("nodeSelector") or terms(pod))


def labels(name: str, capacity_type: str) -> dict[str, str]:
    """The labels that are known of a node of that instance type, bought in that way.

    Without a capacity type it is a node of the user's own, who alone knows how they got it.
    """
    machine = gpus.INSTANCE_TYPES[name]
    return {
        placement.INSTANCE_TYPE_LABEL: machine.node_label or name,
        ARCHITECTURE: machine.architecture,
        SYSTEM: "linux",
        **({CAPACITY_TYPE: capacity_type} if capacity_type else {}),
    }


def unmatched(pod: Mapping[str, Any], node: Labels) -> tuple[str, ...]:
    """Keys of the node selector that the node does not match.

    The instance type is not among them: by it the node is chosen.
    """
    selector = workloads.part(pod, "nodeSelector")
    return tuple(
        key
        for key, value in node.items()
        if key != placement.INSTANCE_TYPE_LABEL and selector.get(key, value) != value
    )


def terms(pod: Mapping[str, Any]) -> list[Any]:
    """The user's required node affinity: one term is to match; empty: there is none."""
    required = workloads.part(pod, "affinity", "nodeAffinity", placement.REQUIRED)
    found = required.get("nodeSelectorTerms")
    return found if isinstance(found, list) else []


def zones(pod: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Where the user names zones, below the pod spec, and what stands there."""
    selected = workloads.part(pod, "nodeSelector").get(ZONE)
    if selected is not None:
        yield f"nodeSelector[{ZONE}]", selected
    for place, term in enumerate(terms(pod)):
        expressions = term.get("matchExpressions") if isinstance(term, dict) else None
        for one in expressions if isinstance(expressions, list) else ():
            if isinstance(one, dict) and one.get("key") == ZONE:
                path = f"affinity.nodeAffinity.{placement.REQUIRED}.nodeSelectorTerms[{place}]"
                yield path, one.get("values")


def is_let_in(pod: Mapping[str, Any], node: Labels) -> bool:
    """Whether the affinity may let the pods onto the node."""
    wanted = terms(pod)
    return not wanted or any(_may_match(term, node) for term in wanted)


def wrong_tolerations(pod: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Place of each toleration that names the key of a GPU taint and not the taint, and the taint.

    None where another one tolerates it: a list without the key may be right, for not every
    cluster taints its GPU nodes.
    """
    own = pod.get("tolerations") or []
    for taint in placement.untolerated(pod):
        key = taint.partition(":")[0].partition("=")[0]
        yield from ((place, taint) for place, one in enumerate(own) if one.get("key") == key)


def _may_match(term: object, node: Labels) -> bool:
    expressions = term.get("matchExpressions") if isinstance(term, dict) else None
    if not isinstance(expressions, list):
        return True
    return all(_may_hold(one, node) for one in expressions if isinstance(one, dict))


def _may_hold(expression: Mapping[str, Any], node: Labels) -> bool:
    """Source: NodeSelectorRequirementsAsSelector (k8s.io/component-helpers/scheduling/corev1)."""
    label = node.get(str(expression.get("key")))
    values = expression.get("values")
    if label is None or not isinstance(values, list | None):
        return True
    match expression.get("operator"):
        case "In":
            return label in (values or ())
        case "NotIn":
            return label not in (values or ())
        case "DoesNotExist":
            return False
    return True
