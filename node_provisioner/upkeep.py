"""Claims that have been as they are for too long: idle, never usable, stuck; and what leaked.

All ages start anew with the process: nothing is deleted earlier than it should be.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from node_provisioner import ages, plan, reclaim, settings, views

STUCK_SECONDS = 600.0
"""A claim that is deleted and still there after this is worth telling: its machine may cost."""
_SETTLE_SECONDS = 1.0
"""A node that is closed takes no new pod, but one may be on its way to it for a moment."""
_LOOK_SECONDS = 5.0
"""How often a node is looked at that is to go and is still used, or that does not close."""


@dataclass(frozen=True)
class Seen:
    """What one pass decides from."""

    pods: tuple[views.PodView, ...]
    nodes: tuple[views.NodeView, ...]
    claims: tuple[views.ClaimView, ...]
    """In the cluster, and created by us a moment ago."""


class Upkeep:
    """How long claims and nodes have been in their state."""

    def __init__(self, chosen: settings.Settings) -> None:
        self._settings = chosen
        self._idle, self._launching = ages.Ages(), ages.Ages()
        self._ending, self._orphans, self._closed = ages.Ages(), ages.Ages(), ages.Ages()
        self._claims: dict[str, views.ClaimView] = {}

    def update(self, seen: Seen, decided: plan.Plan, now: float) -> None:
        """Take the present state."""
        needless = reclaim.needless(seen.pods, seen.nodes, seen.claims, decided.placed)
        live = [claim for claim in seen.claims if not claim.terminating]
        self._claims = {claim.key: claim for claim in seen.claims}
        self._idle.update(_uids(needless), now)
        self._launching.update(_uids(c for c in live if not c.initialized), now)
        self._ending.update(_uids(c for c in seen.claims if c.terminating), now)
        lost = {node.key: node.claim for node in seen.nodes if _is_lost(node, self._claims)}
        self._orphans.update(lost, now)
        self._closed.update({node.key: node.claim for node in seen.nodes if node.draining}, now)

    def needless(self, now: float) -> tuple[views.ClaimView, ...]:
        """Claims that no pod has needed for long enough."""
        return tuple(
            self._claims[key]
            for key, age in self._idle.all(now)
            if age >= self.patience(self._claims[key])
        )

    def is_idle(self, key: str) -> bool:
        """Whether no pod needs the claim now, for however short a time."""
        return key in self._idle

    def keep(self, claim: views.ClaimView, now: float) -> None:
        """It is needed after all: count from now."""
        self._idle.restart(claim.key, now)

    def overdue(self, now: float) -> tuple[views.ClaimView, ...]:
        """Claims whose nodes should have been usable by now."""
        limit = self._settings.launch_timeout_seconds
        return tuple(self._claims[key] for key in self._launching.older(limit, now))

    def stuck(self, now: float) -> tuple[views.ClaimView, ...]:
        """Claims that were deleted long ago and are still there."""
        return tuple(self._claims[key] for key in self._ending.older(STUCK_SECONDS, now))

    def leaked(self, now: float) -> tuple[str, ...]:
        """Nodes that we bought and whose claim is gone."""
        return tuple(self._orphans.older(STUCK_SECONDS, now))

    def is_settled(self, node: views.NodeView, now: float) -> bool:
        """Whether it has been closed long enough for pods on their way to have arrived."""
        return node.key in self._closed.older(_SETTLE_SECONDS, now)

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something here is due."""
        for key, age in self._idle.all(now):
            left = self.patience(self._claims[key]) - age
            yield left if left > 0 else _LOOK_SECONDS
        limit = self._settings.launch_timeout_seconds
        for known, seconds in (
            (self._launching, limit),
            (self._ending, STUCK_SECONDS),
            (self._orphans, STUCK_SECONDS),
            (self._closed, _SETTLE_SECONDS),
        ):
            yield from (left for _, left in known.younger(seconds, now))

    def patience(self, claim: views.ClaimView) -> float:
        """Seconds for which it is kept without need: fewer while its node has yet to come."""
        chosen = self._settings
        if claim.initialized:
            return chosen.idle_ttl_seconds
        return min(chosen.idle_ttl_seconds, chosen.surplus_ttl_seconds)


def _uids(claims: Iterable[views.ClaimView]) -> dict[str, str]:
    return {claim.key: claim.uid for claim in claims}


def _is_lost(node: views.NodeView, claims: dict[str, views.ClaimView]) -> bool:
    return bool(node.claim) and node.claim not in claims
