"""Metrics in the text format of Prometheus."""

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Families = Mapping[str, tuple[str, str]]
"""Type and meaning of every metric of a program, by name."""


STARTED = "process_start_time_seconds"
PROCESS: Families = {STARTED: ("gauge", "Start of the process, in seconds since 1970-01-01 UTC.")}
"""What every program tells of itself."""


def head(name: str, families: Families) -> tuple[str, str]:
    """What stands above a metric's samples."""
    kind, meaning = families[name]
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"


def sample(name: str, value: float, **labels: str) -> str:
    """One sample; label values are words of ours and need no escape."""
    told = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{name}{{{told}}} {value:.12g}" if told else f"{name} {value:.12g}"


def plain(values: Mapping[str, float], families: Families) -> Iterator[str]:
    """Metrics of one sample each, by name."""
    for name, value in values.items():
        yield from head(name, families)
        yield sample(name, value)


def started(at: float) -> Iterator[str]:
    """Since when the process runs, in seconds since 1970; 0: unknown, and then left out."""
    return plain({STARTED: at} if at else {}, PROCESS)


def text(lines: Iterable[str]) -> str:
    """The page."""
    return "\n".join(lines) + "\n"


class Histogram:
    """How many durations were at most as long as each of `buckets_seconds`."""

    def __init__(self, buckets_seconds: Sequence[float]) -> None:
        self._bounds = tuple(buckets_seconds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._sum += seconds
        self._counts[bisect.bisect_left(self._bounds, seconds)] += 1

    def samples(self, name: str, **labels: str) -> Iterator[str]:
        """Its samples."""
        total = 0
        for bound, count in zip((*self._bounds, None), self._counts, strict=True):
            total += count
            le = "+Inf" if bound is None else f"{bound:g}"
            yield sample(f"{name}_bucket", total, **labels, le=le)
        yield sample(f"{name}_sum", self._sum, **labels)
        yield sample(f"{name}_count", total, **labels)
