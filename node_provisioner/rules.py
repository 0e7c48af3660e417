"""Which nodes a pod may run on by its own rules: node selector, required affinity, tolerations.

Source: nodeaffinity and Toleration.ToleratesTaint of k8s.io/component-helpers/scheduling/corev1.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kubeapi import api

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
ZONE = "topology.kubernetes.io/zone"
NAME = "metadata.name"
"""Stands among the labels for a node's name, which affinity reaches by `matchFields`."""

Taint = tuple[str, str, str]
"""Key, value and effect."""

_HARD = frozenset({"NoSchedule", "NoExecute"})
_PASSING = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "karpenter.sh/")
"""Prefixes of taints that come and go with a node's condition."""


@dataclass(frozen=True)
class Requirement:
    """One thing that a node's labels must be like."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str], *, complete: bool) -> bool:
        """Whether it holds; where labels are not `complete`, an absent one may be anything."""
        value = labels.get(self.key)
        if value is None:
            return not complete or self.operator in {"NotIn", "DoesNotExist"}
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return True
            case "Gt" | "Lt":
                return self._compares(value)
        return False

    def _compares(self, value: str) -> bool:
        bound = self.values[0] if self.values else ""
        if not (value.isdecimal() and bound.isdecimal()):
            return False
        return int(value) > int(bound) if self.operator == "Gt" else int(value) < int(bound)


@dataclass(frozen=True)
class Toleration:
    """A taint, or many, that a pod does not mind; empty: any."""

    key: str = ""
    value: str = ""
    effect: str = ""
    exists: bool = False

    def covers(self, taint: Taint) -> bool:
        """Whether it is for this taint."""
        key, value, effect = taint
        of_key = key == self.key or (self.exists and not self.key)
        return self.effect in {"", effect} and of_key and (self.exists or value == self.value)


@dataclass(frozen=True)
class Rules:
    """Rules of a pod."""

    terms: tuple[tuple[Requirement, ...], ...] = ((),)
    """Alternatives, of which one must hold in full; none: no node will do."""
    tolerations: tuple[Toleration, ...] = ()

    @cached_property
    def keys(self) -> frozenset[str]:
        """Labels that matter."""
        return frozenset(one.key for term in self.terms for one in term)

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Zones that are named, in order; empty: none is."""
        named = (
            zone
            for term in self.terms
            for one in term
            if one.key == ZONE and one.operator == "In"
            for zone in one.values
        )
        return tuple(dict.fromkeys(named))

    def admit(
        self, labels: Mapping[str, str], taints: Collection[Taint] = (), *, complete: bool
    ) -> bool:
        """Whether a node of these labels and taints will do.

        `complete`: the labels are all there are; else it is a node that has yet to come.
        """
        return any(
            all(one.holds(labels, complete=complete) for one in term) for term in self.terms
        ) and all(any(one.covers(taint) for one in self.tolerations) for taint in taints)


def of_pod(spec: api.Object) -> Rules:
    """The rules of a pod spec."""
    selector = tuple(
        Requirement(key, "In", (str(value),))
        for key, value in sorted((spec.get("nodeSelector") or {}).items())
    )
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = ((),) if not affinity else tuple(_terms(affinity.get("nodeSelectorTerms") or ()))
    return Rules(
        tuple((*selector, *term) for term in terms),
        tuple(_toleration(one) for one in spec.get("tolerations") or ()),
    )


def taints(spec: api.Object) -> tuple[Taint, ...]:
    """Taints of a node spec that keep pods away for good."""
    return tuple(
        (one["key"], one.get("value", ""), one["effect"])
        for one in spec.get("taints") or ()
        if one["effect"] in _HARD and not one["key"].startswith(_PASSING)
    )


def _terms(terms: Iterable[api.Object]) -> Iterator[tuple[Requirement, ...]]:
    for term in terms:
        fields = (_requirement(one) for one in term.get("matchFields") or ())
        labels = (_requirement(one) for one in term.get("matchExpressions") or ())
        if together := (*labels, *fields):
            yield together  # an empty one matches nothing


def _requirement(raw: Mapping[str, Any]) -> Requirement:
    return Requirement(raw["key"], raw["operator"], tuple(map(str, raw.get("values") or ())))


def _toleration(raw: Mapping[str, Any]) -> Toleration:
    return Toleration(
        raw.get("key", ""),
        raw.get("value", ""),
        raw.get("effect", ""),
        exists=raw.get("operator") == "Exists",
    )
