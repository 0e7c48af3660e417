"""Figures with goals, as a table for people and as JSON for programs."""

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMPARISONS = {
    "<=": lambda value, goal: value <= goal,
    ">=": lambda value, goal: value >= goal,
}


@dataclass(frozen=True)
class Figure:
    """One measured figure; its value is the median of its runs."""

    name: str
    unit: str
    runs: tuple[float, ...]
    goal: str = ""
    """Such as `<= 25`; empty for a figure that is only told."""

    @property
    def value(self) -> float:
        """Median of the runs."""
        return statistics.median(self.runs)

    @property
    def met(self) -> bool | None:
        """Whether the value meets the goal; None without a goal."""
        if not self.goal:
            return None
        sign, _, number = self.goal.partition(" ")
        return bool(COMPARISONS[sign](self.value, float(number)))

    def as_json(self) -> dict[str, Any]:
        """The figure as `python -m bench` prints it."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "goal": self.goal,
            "met": self.met,
            "runs": [round(f, 3) for f in (min(self.runs), self.value, max(self.runs))],
        }


def p99(runs: Sequence[float]) -> float:
    """The 99th percentile, between the two runs nearest to it."""
    return statistics.quantiles(runs, n=100)[98]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _first_value("/proc/cpuinfo", "model name"),
        "kernel": platform.release(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def table(name: str, figures: Sequence[Figure], on: Mapping[str, Any]) -> str:
    """The figures for people, widest column first."""
    rows = [("figure", "median", "min", "max", "unit", "goal", "")]
    for figure in figures:
        low, middle, high = (f"{value:.4g}" for value in figure.as_json()["runs"])
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        rows.append((figure.name, middle, low, high, figure.unit, figure.goal, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    host = f"{on['cores']} cores of {on['cpu']}, load {on['load_1min']} at the start"
    return "\n".join([f"bench {name}: {host}", *(line.rstrip() for line in lines)])


def last_line(name: str, figures: Sequence[Figure], on: Mapping[str, Any]) -> str:
    """One JSON object."""
    return json.dumps(
        {"bench": name, "machine": dict(on), "figures": [f.as_json() for f in figures]}
    )


def _first_value(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return platform.machine()
