"""The extender protocol of kube-scheduler, version 1: JSON with the Go names of its fields.

Source: k8s.io/kube-scheduler/extender/v1/types.go; the structs have no tags, so that keys are in
PascalCase, and absent lists and maps come as null. The objects inside have their usual names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from scheduler_ext import views


class Malformed(Exception):
    """The body is no such request; the message says why."""


@dataclass(frozen=True)
class Request:
    """What /filter and /prioritize are asked."""

    pod: views.PodView
    names: list[str]
    has_nodes: bool = False
    """Whole nodes came instead of names: the scheduler is not configured as it must be."""


@dataclass(frozen=True)
class Victims:
    """Pods whose eviction would make room on a node."""

    uids: tuple[str, ...]
    pdb_violations: int


@dataclass(frozen=True)
class PreemptRequest:
    """What /preempt is asked."""

    pod: views.PodView
    victims: dict[str, Victims] = field(default_factory=dict)
    """By node."""


def read(body: bytes) -> Request:
    """The request of /filter or /prioritize.

    Raises:
        Malformed: the body is none.
    """
    raw = _object(body)
    names = raw.get("NodeNames")
    if names is None:
        names = []
    if not isinstance(names, list) or not all(type(name) is str for name in names):
        raise Malformed("NodeNames is not a list of names")
    return Request(_pod(raw), names, has_nodes=raw.get("Nodes") is not None)


def read_preempt(body: bytes) -> PreemptRequest:
    """The request of /preempt; victims that came as whole pods are read as their uids.

    Raises:
        Malformed: the body is none.
    """
    raw = _object(body)
    pod = _pod(raw)
    try:
        found = {
            **{name: _victims(v, _uid_of_pod) for name, v in _map(raw, "NodeNameToVictims")},
            **{name: _victims(v, _uid) for name, v in _map(raw, "NodeNameToMetaVictims")},
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"victims are malformed: {error!r}") from error
    return PreemptRequest(pod, found)


def filtered(passed: Sequence[str], failed: Mapping[str, str], error: str = "") -> bytes:
    """The answer of /filter; `failed` has a text for every node that no eviction would open."""
    return orjson.dumps(
        {
            "Nodes": None,
            "NodeNames": None if error else passed,
            "FailedNodes": {},
            "FailedAndUnresolvableNodes": failed,
            "Error": error,
        }
    )


def prioritized(scores: Mapping[str, int]) -> bytes:
    """The answer of /prioritize: a bare list."""
    return orjson.dumps([{"Host": name, "Score": value} for name, value in scores.items()])


def preempted(victims: Mapping[str, Victims]) -> bytes:
    """The answer of /preempt: uids alone, whatever the request carried."""
    return orjson.dumps(
        {
            "NodeNameToMetaVictims": {
                name: {
                    "Pods": [{"UID": uid} for uid in one.uids],
                    "NumPDBViolations": one.pdb_violations,
                }
                for name, one in victims.items()
            }
        }
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise Malformed("not a JSON object")
    return raw


def _pod(raw: dict[str, Any]) -> views.PodView:
    try:
        return views.requested(raw["Pod"], with_images=True)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"Pod is malformed: {error!r}") from error


def _map(raw: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    return list((raw.get(key) or {}).items())


def _victims(raw: dict[str, Any], uid_of: Any) -> Victims:  # noqa: ANN401 - one of the two below
    uids = tuple(uid_of(pod) for pod in raw.get("Pods") or ())
    return Victims(uids, int(raw.get("NumPDBViolations") or 0))


def _uid(raw: dict[str, Any]) -> str:
    return str(raw["UID"])


def _uid_of_pod(raw: dict[str, Any]) -> str:
    return str(raw["metadata"]["uid"])
