"""Metrics of the extender."""

from collections import Counter
from collections.abc import Iterator, Mapping

from telemetry import prometheus

_BUCKETS_SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 2.0),
)
"""From the smallest answer up to the time limit that kube-scheduler is configured with."""

REQUESTS = "plainsail_extender_requests_total"
SECONDS = "plainsail_extender_request_seconds"
REFUSED = "plainsail_extender_nodes_refused_total"
UNKNOWN = "plainsail_extender_nodes_unknown_total"
TOUCHED = "plainsail_extender_pods_touched_total"
MARKED = "plainsail_extender_nodes_marked_total"
MISPLACED = "plainsail_extender_pods_misplaced_total"
WATCHED = "plainsail_extender_lists_watched"
UNREADABLE = "plainsail_extender_objects_unreadable"

FAMILIES = {
    REQUESTS: ("counter", "Requests answered, by path and outcome."),
    SECONDS: ("histogram", "Time from the whole body of a request to its answer."),
    REFUSED: ("counter", "Nodes that a pod was kept away from, by reason."),
    UNKNOWN: ("counter", "Nodes that were passed because nothing was known of them yet."),
    TOUCHED: ("counter", "Pods touched so that kube-scheduler tries them again."),
    MARKED: ("counter", "Times that the marker was written into a node of ours."),
    MISPLACED: (
        "counter",
        "Pods of ours that were bound to a node that they were to be kept from.",
    ),
    WATCHED: ("gauge", "Lists of the API server that are watched now, of three."),
    UNREADABLE: (
        "gauge",
        "Objects that are taken as they were before a change that cannot be read.",
    ),
    **prometheus.PROCESS,
}
"""Type and meaning of every metric; docs/reference/metrics.md is checked against it."""


class Metrics:
    """What was answered, and what was done besides."""

    def __init__(self, started: float = 0.0) -> None:
        """`started`: seconds since 1970; 0: unknown, and then left out."""
        self._started = started
        self._answers: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[str, prometheus.Histogram] = {}
        self._refused: Counter[str] = Counter()
        self.unknown = self.touched = self.marked = self.misplaced = 0
        self.watched = self.unreadable = 0

    def answered(self, path: str, outcome: str) -> None:
        """Count one answer."""
        self._answers[path, outcome] += 1

    def took(self, path: str, seconds: float) -> None:
        """Count the time of one answer."""
        self._seconds.setdefault(path, prometheus.Histogram(_BUCKETS_SECONDS)).observe(seconds)

    def refused(self, codes: Mapping[str, int]) -> None:
        """Count refused nodes by reason."""
        self._refused.update(codes)

    def render(self) -> str:
        """All metrics as Prometheus reads them."""
        return prometheus.text(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from prometheus.head(REQUESTS, FAMILIES)
        for (path, outcome), count in sorted(self._answers.items()):
            yield prometheus.sample(REQUESTS, count, path=path, outcome=outcome)
        yield from prometheus.head(SECONDS, FAMILIES)
        for path, histogram in sorted(self._seconds.items()):
            yield from histogram.samples(SECONDS, path=path)
        yield from prometheus.head(REFUSED, FAMILIES)
        for code, count in sorted(self._refused.items()):
            yield prometheus.sample(REFUSED, count, reason=code)
        plain = {
            UNKNOWN: self.unknown,
            TOUCHED: self.touched,
            MARKED: self.marked,
            MISPLACED: self.misplaced,
            WATCHED: self.watched,
            UNREADABLE: self.unreadable,
        }
        yield from prometheus.plain(plain, FAMILIES)
        yield from prometheus.started(self._started)
