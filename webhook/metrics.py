"""Counters of the webhook in the text format of Prometheus."""

from collections import Counter
from collections.abc import Iterator

from telemetry import prometheus

_BUCKETS_SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0),
)
"""From a tenth of what the API server itself takes up to the time limit that it sets us."""

REQUESTS = "plainsail_webhook_requests_total"
SECONDS = "plainsail_webhook_request_seconds"
INFLIGHT = "plainsail_webhook_inflight_requests"

FAMILIES = {
    REQUESTS: ("counter", "Requests answered, by outcome and reason."),
    SECONDS: ("histogram", "Time from the whole body of a review to its answer."),
    INFLIGHT: ("gauge", "Requests under way, this one included."),
    **prometheus.PROCESS,
}
"""Type and meaning of every metric; docs/reference/metrics.md is checked against it."""


class Metrics:
    """What was answered, how long it took, and what is under way."""

    def __init__(self, started: float = 0.0) -> None:
        """`started`: seconds since 1970; 0: unknown, and then left out."""
        self.inflight = 0
        self._started = started
        self._answers: Counter[tuple[str, str]] = Counter()
        self._seconds = prometheus.Histogram(_BUCKETS_SECONDS)

    def answered(self, outcome: str, reason: str) -> None:
        """Count one answer."""
        self._answers[outcome, reason] += 1

    def took(self, seconds: float) -> None:
        """Count the time of one decision, from the whole body to the answer."""
        self._seconds.observe(seconds)

    def render(self) -> str:
        """All metrics as Prometheus reads them."""
        return prometheus.text(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from prometheus.head(REQUESTS, FAMILIES)
        for (outcome, reason), count in sorted(self._answers.items()):
            yield prometheus.sample(REQUESTS, count, outcome=outcome, reason=reason)
        yield from prometheus.head(SECONDS, FAMILIES)
        yield from self._seconds.samples(SECONDS)
        yield from prometheus.plain({INFLIGHT: self.inflight}, FAMILIES)
        yield from prometheus.started(self._started)
