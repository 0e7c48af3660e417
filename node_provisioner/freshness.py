"""What changed a moment ago, so that the scheduler may not have used it yet, or soon can."""

from collections.abc import Iterator, Sequence

from node_provisioner import ages, supply, views

GRACE_SECONDS = 30.0
"""The scheduler takes under a second to use a node that fits; this allows for a busy one."""
LEAVING_SECONDS = 45.0
"""A pod that was told to end has 30 s unless it asks for more, and its kubelet takes a few to say
that it has. A node that comes free so soon is not bought again."""


class Freshness:
    """Remembers when nodes and claims became able to take more, and when pods began to end."""

    def __init__(self) -> None:
        self._ages = ages.Ages()
        self._leaving = ages.Ages()
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
        ready = {node.key for node in nodes if node.ready}
        ending = {pod.uid: pod.node for pod in pods if pod.ending and pod.node in ready}
        self._leaving.update(ending, now)
        self._ages.update({**{n.key: n for n in nodes}, **{c.key: c for c in claims}}, now)

    def keys(self, now: float) -> frozenset[str]:
        """Names of nodes and claims that are fresh, and uids of pods that leave their node so."""
        fresh = {key for key, _ in self._ages.younger(GRACE_SECONDS, now)}
        leaving = {uid for uid, _ in self._leaving.younger(LEAVING_SECONDS, now)}
        return frozenset(fresh | leaving | {str(self._leaving.value(uid)) for uid in leaving})

    def deadlines(self, now: float) -> Iterator[float]:
        """Seconds until something ceases to be fresh."""
        yield from (left for _, left in self._ages.younger(GRACE_SECONDS, now))
        yield from (left for _, left in self._leaving.younger(LEAVING_SECONDS, now))
