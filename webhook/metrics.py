"""Counters of the webhook in the text format of Prometheus."""

from collections import Counter

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)
"""From a tenth of what the API server itself takes up to the time limit that it sets us."""


class Metrics:
    """What was answered, and how long it took."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, str]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0

    def answered(self, outcome: str, reason: str, seconds: float) -> None:
        """Count one answer; `seconds` from the whole body to the answer."""
        self._answers[outcome, reason] += 1
        self._seconds += seconds
        self._buckets[next((b for b in _BUCKETS_SECONDS if seconds <= b), float("inf"))] += 1

    def render(self) -> str:
        """All metrics as Prometheus reads them."""
        lines = [
            "# HELP plainsail_webhook_requests_total Admission requests by outcome and reason.",
            "# TYPE plainsail_webhook_requests_total counter",
        ]
        lines += (
            f'plainsail_webhook_requests_total{{outcome="{outcome}",reason="{reason}"}} {count}'
            for (outcome, reason), count in sorted(self._answers.items())
        )
        name = "plainsail_webhook_request_seconds"
        lines += (
            f"# HELP {name} Time from the whole body to the answer.",
            f"# TYPE {name} histogram",
        )
        total = 0
        for bucket in (*_BUCKETS_SECONDS, float("inf")):
            total += self._buckets[bucket]
            label = "+Inf" if bucket == float("inf") else f"{bucket:g}"
            lines.append(f'{name}_bucket{{le="{label}"}} {total}')
        lines += (f"{name}_sum {self._seconds:.6f}", f"{name}_count {total}")
        return "\n".join(lines) + "\n"
