"""Planners with one fault each, to prove that the simulation sees it."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kubeapi import events
from node_provisioner import giving, lifecycle, loop, names, plan, reclaim, supply

Plant = Callable[[pytest.MonkeyPatch], None]


def nameless(patch: pytest.MonkeyPatch) -> None:
    """Names of claims are new every time."""
    serial = itertools.count()
    patch.setattr(names, "claim", lambda *_: f"ws{next(serial):09x}")


def without_flight(patch: pytest.MonkeyPatch) -> None:
    """Claims without a usable node do not count."""
    bins = supply.bins
    patch.setattr(supply, "bins", lambda *a, **k: tuple(one for one in bins(*a, **k) if one.node))


def without_gpu_patience(patch: pytest.MonkeyPatch) -> None:
    """A Ready node without its GPUs does not count."""
    bins = supply.bins

    def hasty(pods: Any, nodes: Any, claims: Any, **more: Any) -> Any:
        bare = {node.claim for node in nodes if node.ready and not node.devices}
        return bins(pods, nodes, [claim for claim in claims if claim.key not in bare], **more)

    patch.setattr(supply, "bins", hasty)


def blind(patch: pytest.MonkeyPatch) -> None:
    """Nothing is ever bought."""
    decide = plan.plan
    patch.setattr(plan, "plan", lambda *a, **k: replace(decide(*a, **k), create=()))


def meddling(patch: pytest.MonkeyPatch) -> None:
    """Nodes that nobody bought are closed, too."""
    work = giving.Keeper.work

    def close(self: giving.Keeper, seen: Any, *args: Any, **more: Any) -> None:
        work(self, seen, *args, **more)
        for node in seen.nodes:
            if not node.claim:
                self._nodes.close(node)

    patch.setattr(giving.Keeper, "work", close)


def hoarding(patch: pytest.MonkeyPatch) -> None:
    """Nothing is ever given back."""
    patch.setattr(reclaim, "needless", lambda *_: ())


def grabbing(patch: pytest.MonkeyPatch) -> None:
    """Every claim is given back after the TTL, used or not."""
    patch.setattr(reclaim, "needless", lambda _pods, _nodes, claims, *_: tuple(claims))
    patch.setattr(reclaim, "holds", lambda *_, **__: False)


def silent(patch: pytest.MonkeyPatch) -> None:
    """Nobody is told anything."""
    patch.setattr(events.Recorder, "tell", lambda *_: None)


def stubborn(patch: pytest.MonkeyPatch) -> None:
    """What was refused is asked for again at once."""
    patch.setattr(lifecycle.Lifecycle, "refuse", lambda *_: None)


def raising(patch: pytest.MonkeyPatch) -> None:
    """It trips over claims that end."""
    bins = supply.bins

    def trip(pods: Any, nodes: Any, claims: Any, **more: Any) -> Any:
        assert not any(claim.terminating for claim in claims)
        return bins(pods, nodes, claims, **more)

    patch.setattr(supply, "bins", trip)


def restless(patch: pytest.MonkeyPatch) -> None:
    """It looks again and again without a reason."""
    run_pass = loop.Planner.run_pass

    def again(self: loop.Planner) -> float:
        run_pass(self)
        return 0.0

    patch.setattr(loop.Planner, "run_pass", again)
