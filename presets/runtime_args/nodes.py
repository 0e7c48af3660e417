"""A model over several nodes: a pod on each, all of one template, all of them needed.

Every pod runs `serve` with the same arguments, and its environment says which part of the model is
its (`read`). The pod of rank 0 leads, and it alone answers requests.

| | rank 0 | the others |
|---|---|---|
| `/health` | 200 once the whole model answers | 200 once it waits for rank 0, or works for it |
| `/healthz` | 200 while the program lives | 200 while the program lives |
| one of the others is gone | ends with 1, to meet them anew | ends with 1, to meet them anew |

That a worker is ready before the model is lets a rolling update, which waits for each pod in turn,
come to rank 0 at all; requests go to rank 0 alone, whose address is `leader`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from presets.runtime_args.command_line import MalformedArguments

SERVE_NODES = "serve on several nodes"
"""What an image that does so has among `runtime_args.PROGRAMS`; the verb stays `serve`."""

COUNT = "PLAINSAIL_NODES"
RANK = "PLAINSAIL_NODE_RANK"
LEADER = "PLAINSAIL_LEADER"
GPUS = "PLAINSAIL_GPUS_PER_NODE"

INDEX_LABEL = "apps.kubernetes.io/pod-index"
"""Label that a StatefulSet gives each pod, since Kubernetes 1.28: the rank."""

_DIGITS = re.compile(r"\d{1,4}", re.ASCII)


@dataclass(frozen=True)
class Part:
    """The part of a model that one pod has."""

    nodes: int
    """At least 2."""
    rank: int
    """Below `nodes`; 0 leads."""
    leader: str
    """Host name of the pod of rank 0."""
    gpus: int
    """Of each node; tensor times pipeline parallel is that of all nodes."""


def shared(nodes: int, leader: str, gpus: int) -> dict[str, str]:
    """The variables that are the same in every pod: all but RANK, which is INDEX_LABEL's value."""
    return {COUNT: str(nodes), LEADER: leader, GPUS: str(gpus)}


def read(environ: Mapping[str, str]) -> Part | None:
    """The part that the environment tells of; None where the pod has the whole model.

    Raises:
        MalformedArguments: some of the variables are missing, or no counts, or the rank is none.
    """
    if COUNT not in environ:
        return None
    nodes, rank, gpus = (_count(environ, key) for key in (COUNT, RANK, GPUS))
    leader = environ.get(LEADER, "")
    if nodes < 2 or rank >= nodes or not gpus or not leader:  # noqa: PLR2004 - fewer are no several
        told = " ".join(f"{key}={environ.get(key, '')}" for key in (COUNT, RANK, LEADER, GPUS))
        raise MalformedArguments(f"environment: {told} is no part of a model")
    return Part(nodes, rank, leader, gpus)


def node_count(containers: Iterable[Mapping[str, Any]]) -> int:
    """Nodes that pods of these containers serve one model on together; 1 where none says so."""
    for container in containers:
        for one in container.get("env") or ():
            text = one.get("value") if one.get("name") == COUNT else None
            if isinstance(text, str) and _DIGITS.fullmatch(text):
                return int(text)
    return 1


def _count(environ: Mapping[str, str], key: str) -> int:
    text = environ.get(key, "")
    if not _DIGITS.fullmatch(text):
        raise MalformedArguments(f"environment {key}: {text!r} is not a count")
    return int(text)
