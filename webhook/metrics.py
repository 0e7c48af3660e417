"""Counters of the webhook in the text format of Prometheus."""

import bisect
from collections import Counter

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_BUCKETS_SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0),
)
"""From a tenth of what the API server itself takes up to the time limit that it sets us."""

REQUESTS = "plainsail_webhook_requests_total"
SECONDS = "plainsail_webhook_request_seconds"
INFLIGHT = "plainsail_webhook_inflight_requests"
STARTED = "process_start_time_seconds"

FAMILIES = {
    REQUESTS: ("counter", "Requests answered, by outcome and reason."),
    SECONDS: ("histogram", "Time from the whole body of a review to its answer."),
    INFLIGHT: ("gauge", "Requests under way, this one included."),
    STARTED: ("gauge", "Start of the process, in seconds since 1970-01-01 UTC."),
}
"""Type and meaning of every metric; docs/reference/metrics.md is checked against it."""


class Metrics:
    """What was answered, how long it took, and what is under way."""

    def __init__(self, started: float = 0.0) -> None:
        """`started`: seconds since 1970; 0: unknown, and then left out."""
        self.inflight = 0
        self._started = started
        self._answers: Counter[tuple[str, str]] = Counter()
        self._buckets = [0] * (len(_BUCKETS_SECONDS) + 1)
        self._seconds = 0.0

    def answered(self, outcome: str, reason: str) -> None:
        """Count one answer."""
        self._answers[outcome, reason] += 1

    def took(self, seconds: float) -> None:
        """Count the time of one decision, from the whole body to the answer."""
        self._seconds += seconds
        self._buckets[bisect.bisect_left(_BUCKETS_SECONDS, seconds)] += 1

    def render(self) -> str:
        """All metrics as Prometheus reads them."""
        lines = [*_head(REQUESTS)]
        lines += (
            f'{REQUESTS}{{outcome="{outcome}",reason="{reason}"}} {count}'
            for (outcome, reason), count in sorted(self._answers.items())
        )
        lines += _head(SECONDS)
        total = 0
        for bound, count in zip((*_BUCKETS_SECONDS, None), self._buckets, strict=True):
            total += count
            label = "+Inf" if bound is None else f"{bound:g}"
            lines.append(f'{SECONDS}_bucket{{le="{label}"}} {total}')
        lines += (f"{SECONDS}_sum {self._seconds:.6f}", f"{SECONDS}_count {total}")
        lines += (*_head(INFLIGHT), f"{INFLIGHT} {self.inflight}")
        if self._started:
            lines += (*_head(STARTED), f"{STARTED} {self._started:.3f}")
        return "\n".join(lines) + "\n"


def _head(name: str) -> tuple[str, str]:
    kind, meaning = FAMILIES[name]
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"
