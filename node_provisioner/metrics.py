"""Metrics of the node planner."""

from collections import Counter
from collections.abc import Iterator

from node_provisioner import demand, upkeep, views
from node_provisioner.views import Standing
from presets import money
from telemetry import prometheus

_BUCKETS_SECONDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)
"""From a node that was there to the longest that a claim may take, and some attempts more."""

CLAIMS = "plainsail_provisioner_claims_total"
HELD = "plainsail_provisioner_claims"
WAIT = "plainsail_provisioner_bound_seconds"
WAITING = "plainsail_provisioner_waiting_pods"
COST = "plainsail_provisioner_dollars_per_hour"
LEAKED = "plainsail_provisioner_leaked_nodes"
LEADS = "plainsail_provisioner_leader"
UNREADABLE = "plainsail_provisioner_objects_unreadable"

FAMILIES = {
    CLAIMS: ("counter", "Claims by what became of them."),
    HELD: ("gauge", "Claims that there are, by state."),
    WAIT: ("histogram", "Time from a pod being found unschedulable to its node."),
    WAITING: ("gauge", "Pods that wait for a node."),
    COST: ("gauge", "Dollars per hour of all claims with a known price."),
    LEAKED: ("gauge", "Nodes that were bought and whose claim is gone."),
    LEADS: ("gauge", "Whether this process is the one that buys."),
    UNREADABLE: (
        "gauge",
        "Objects that are taken as they were before a change that cannot be read.",
    ),
    **prometheus.PROCESS,
}
"""Type and meaning of every metric; docs/reference/metrics.md is checked against it."""


class Metrics:
    """What became of claims and pods."""

    def __init__(self, started: float = 0.0) -> None:
        """`started`: seconds since 1970; 0: unknown, and then left out."""
        self._started = started
        self._outcomes: Counter[str] = Counter()
        self._wait = prometheus.Histogram(_BUCKETS_SECONDS)
        self._since: dict[str, float] = {}
        self._usable: set[str] | None = None
        """Claims by uid; None: nothing was looked at yet."""
        self._states: dict[str, int] = {}
        self._dollars = 0.0
        self.leaked = 0
        self.leads = True
        self.unreadable = 0

    def count(self, outcome: str) -> None:
        """Count what became of a claim."""
        self._outcomes[outcome] += 1

    def look(self, seen: upkeep.Seen, now: float) -> None:
        """Take what there is."""
        bound = {pod.uid for pod in seen.pods if pod.standing is Standing.BOUND}
        for uid in self._since.keys() & bound:
            self._wait.observe(now - self._since[uid])
        uids = {p.uid for p in seen.pods if p.managed and p.standing in demand.BUYS_A_NODE}
        uids |= {p.uid for p in seen.pods if p.standing is Standing.UNJUDGED} & self._since.keys()
        self._since = {uid: self._since.get(uid, now) for uid in uids}
        usable = {claim.uid for claim in seen.claims if claim.initialized}
        if self._usable is not None:
            self._outcomes["initialized"] += len(usable - self._usable)
        self._usable = usable
        states = Counter(_state(claim) for claim in seen.claims)
        self._states = {state: states[state] for state in ("launching", "usable", "ending")}
        costs = (claim.offer.per_hour or 0 for claim in seen.claims)
        self._dollars = sum(costs) / money.MICRODOLLARS

    def rest(self) -> None:
        """Tell of nothing that there is: another planner does, and knows it better."""
        self._since, self._usable, self._states = {}, None, {}
        self._dollars, self.leaked = 0.0, 0

    def render(self) -> str:
        """All metrics as Prometheus reads them."""
        return prometheus.text(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from prometheus.head(CLAIMS, FAMILIES)
        for outcome, count in sorted(self._outcomes.items()):
            yield prometheus.sample(CLAIMS, count, outcome=outcome)
        yield from prometheus.head(HELD, FAMILIES)
        for state, count in self._states.items():
            yield prometheus.sample(HELD, count, state=state)
        yield from prometheus.head(WAIT, FAMILIES)
        yield from self._wait.samples(WAIT)
        plain = {
            WAITING: len(self._since),
            COST: self._dollars,
            LEAKED: self.leaked,
            LEADS: self.leads,
            UNREADABLE: self.unreadable,
        }
        yield from prometheus.plain(plain, FAMILIES)
        yield from prometheus.started(self._started)


def _state(claim: views.ClaimView) -> str:
    if claim.terminating:
        return "ending"
    return "usable" if claim.initialized else "launching"
