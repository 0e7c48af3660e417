"""Milliseconds to the first preset, microseconds to a layout, milliseconds to a choice."""

import subprocess
import sys
import time

from bench.report import Figure, p99
from presets import catalog, gpus, offers, preset, sizing

PROCESSES = 7
PASSES = 5
COLD = """
import time
begun = time.perf_counter()
from presets import catalog
imported = time.perf_counter()
assert catalog.load().find("phi-3-mini-4k-instruct")
print(imported - begun, time.perf_counter() - imported)
"""


def run() -> list[Figure]:
    """Cold: a new process each time. The others: every preset, in passes over all of them."""
    cold = [_cold() for _ in range(PROCESSES)]
    known = catalog.load().presets
    machines = tuple(gpus.INSTANCE_TYPES.values())
    pairs = [(one, machine) for one in known for machine in machines]
    fits = [_microseconds(one, machine, sizing.Serve()) for one, machine in pairs]
    tuned = [_microseconds(one, machine, sizing.Tune()) for one, machine in pairs]
    choices = [_choice_milliseconds(one) for _ in range(PASSES) for one in known]
    return [
        Figure("catalogue: load to first lookup", "ms", tuple(b for _, b in cold), "<= 30"),
        Figure("catalogue: imports before it", "ms", tuple(a for a, _ in cold)),
        Figure("fit, serving", "us", tuple(fits), "<= 50"),
        Figure("fit, serving, 99th percentile", "us", (p99(fits),)),
        Figure("fit, tuning", "us", tuple(tuned), "<= 50"),
        Figure("choice among all instance types", "ms", tuple(choices), "<= 2"),
        Figure("presets", "", (len(known),)),
        Figure("instance types", "", (len(machines),)),
    ]


def _cold() -> tuple[float, float]:
    """Milliseconds of the imports, and of load and first lookup, in a new process."""
    done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
    imports, load = (1000 * float(word) for word in done.stdout.split())
    return imports, load


def _microseconds(known: preset.Preset, machine: gpus.InstanceType, mode: sizing.Mode) -> float:
    begun = time.perf_counter()
    sizing.fit(known, machine, mode)
    return 1e6 * (time.perf_counter() - begun)


def _choice_milliseconds(known: preset.Preset) -> float:
    begun = time.perf_counter()
    offers.choose(known, sizing.Serve())
    return 1000 * (time.perf_counter() - begun)
