"""Nodes and claims that changed a moment ago, so that the scheduler may not have used them yet."""

from collections.abc import Iterator, Sequence

from node_provisioner import ages, supply, views

GRACE_SECONDS = 30.0
"""The scheduler takes under a second to use a node that fits; this allows for a busy one."""


class Freshness:
    """Remembers when each node and claim last became able to take more."""

    def __init__(self) -> None:
        self._ages = ages.Ages()
        self._free: dict[tuple[str, str], int] = {}

    def update(
        self,
        pods: Sequence[views.PodView],
        nodes: Sequence[views.NodeView],
        claims: Sequence[views.ClaimView],
        now: float,
    ) -> None:
        """Take the present state; devices that were freed make their node fresh again."""
        free = supply.free(pods, nodes)
        before, self._free = self._free, free
        for (node, resource), count in free.items():
            if count > before.get((node, resource), count):
                self._ages.forget(node)
        self._ages.update({**{n.key: n for n in nodes}, **{c.key: c for c in claims}}, now)

    def keys(self, now: float) -> frozenset[str]:
        """Names of what is fresh."""
        return frozenset(key for key, _ in self._ages.younger(GRACE_SECONDS, now))

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something ceases to be fresh."""
        return (left for _, left in self._ages.younger(GRACE_SECONDS, now))
