"""Where things are in a Deployment, StatefulSet or Job; an absent part reads as empty."""

from collections.abc import Mapping
from typing import Any

DEPLOYMENT = ("apps/v1", "Deployment")
STATEFUL_SET = ("apps/v1", "StatefulSet")
JOB = ("batch/v1", "Job")

KINDS = (DEPLOYMENT, STATEFUL_SET, JOB)
"""apiVersion and kind of what can be expanded."""

POD = "spec.template.spec"
"""Path of the pod spec, for messages."""


def kind_of(workload: Mapping[str, Any]) -> tuple[str, str]:
    """Group-version and kind, as the object names them; empty where it names none."""
    version, kind = workload.get("apiVersion"), workload.get("kind")
    return version if isinstance(version, str) else "", kind if isinstance(kind, str) else ""


def part(of: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The mapping at `path`; empty where it or anything above it is absent or no mapping."""
    found: Any = of
    for key in path:
        found = found.get(key)
        if not isinstance(found, dict):
            return {}
    return found  # type: ignore[no-any-return]  # a mapping, checked in the loop


def metadata(workload: Mapping[str, Any]) -> dict[str, Any]:
    """The workload's metadata."""
    return _mapping(workload.get("metadata"))


def pod_template(workload: Mapping[str, Any]) -> dict[str, Any]:
    """The template that pods are made from."""
    return _mapping(_mapping(workload.get("spec")).get("template"))


def pod_spec(workload: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of those pods."""
    return _mapping(pod_template(workload).get("spec"))


def containers(workload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The pods' containers."""
    return pod_spec(workload).get("containers") or []


def _mapping(found: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    return found if isinstance(found, dict) else {}
