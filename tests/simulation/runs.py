"""One run: operations, then rest, then the end of all demand; and what is learned from it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from node_provisioner import loop
from tests.simulation import cluster, operations, rest, tale

_STEP_SECONDS = 60.0
_REST_SECONDS = 7200.0
"""Time to come to rest: claims that never come are given up after 20 min, circuits open for 30."""
_STILL_SECONDS = 900.0
"""A cluster at rest stays so for longer than the idle TTL."""
_CALM_SECONDS = 180.0
"""After the last fault, until the planner has caught up."""

Planner = type[loop.Planner]


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    violations: tuple[str, ...]
    """In order of time."""
    bought: int
    """Claims that were created in all."""
    told: Counter[str]
    """Events by reason."""


def run(
    seed: int,
    chosen: Iterable[operations.Operation],
    planner: Planner = loop.Planner,
    story: tale.Tale | None = None,
    *,
    elected: bool | None = None,
) -> Outcome:
    """Do the operations, let the cluster come to rest, take all demand away, let it rest again.

    `elected`: whether planners elect a leader; None: where there are ever two.
    """
    of = cluster.Cluster(seed, planner)
    if story is not None:
        story.follow(of)
    chosen = tuple(chosen)
    two = any(operation.kind == "second planner" for operation in chosen)
    of.planners.elected = two if elected is None else elected
    of.planners.start(0)
    last = 0.0
    for operation in chosen:
        of.world.after(operation.at, partial(operations.apply, operation, of))
        last = max(last, operation.at)
    of.world.timeline.run(last + 1.0)
    of.stop_faults()
    of.world.timeline.run(_CALM_SECONDS)
    if _comes_to_rest(of, "with demand", rest.unfinished) and _stays(of):
        for key in list(of.workloads.all):
            of.workloads.delete(key)
        _comes_to_rest(of, "without demand", rest.left_over)
    for connection in of.planners.end():
        of.audit.judge_calls(connection.calls)
    told = Counter(event["reason"] for event in of.world.memory.all("events"))
    return Outcome(tuple(of.audit.violations), len(of.audit.creates), told)


def smaller(
    chosen: Sequence[operations.Operation],
    fails: Callable[[Sequence[operations.Operation]], bool],
) -> Sequence[operations.Operation]:
    """As few of the operations as still fail, each left out in turn until none can be."""
    kept = list(chosen)
    again = True
    while again:
        again = False
        for operation in reversed(list(kept)):
            fewer = [other for other in kept if other is not operation]
            if fails(fewer):
                kept, again = fewer, True
    return kept


def _comes_to_rest(
    of: cluster.Cluster, when: str, unfinished: Callable[[cluster.Cluster], list[str]]
) -> bool:
    """Whether nothing was left to be done in time."""
    end = of.world.now + _REST_SECONDS
    while left := unfinished(of):
        for text in rest.untold(of):
            of.audit.complain("at rest", text)
        if of.world.now >= end or of.audit.violations:
            for text in left:
                of.audit.complain(f"not at rest {when}", text)
            return False
        of.world.timeline.run(_STEP_SECONDS)
    return not of.audit.violations


def _stays(of: cluster.Cluster) -> bool:
    """Whether a cluster at rest stays as it is."""
    bought = len(of.audit.creates)
    of.world.timeline.run(_STILL_SECONDS)
    for text in rest.unfinished(of):
        of.audit.complain("left rest", text)
    if len(of.audit.creates) > bought:
        of.audit.complain("left rest", "claims were bought though nothing changed")
    return not of.audit.violations
