"""What an idle cluster with one served model costs: memory and CPU of every process."""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from bench.report import Figure
from deploy.local import cluster, demo, leftovers, network, paths, processes
from deploy.local.progress import Progress

CLUSTER = "bench"
SETTLE_SECONDS = 10
WINDOW_SECONDS = 30


def run() -> list[Figure]:
    """Proportional memory (shared pages divided among their users) and CPU over half a minute."""
    try:
        answered = demo.perform(cluster.Options(CLUSTER), Progress())
        time.sleep(SETTLE_SECONDS)
        return _measure(answered.loaded.name)
    finally:
        cluster.down(CLUSTER)


def _measure(name: str) -> list[Figure]:
    namespaces = network.existing(name)
    daemon = leftovers.daemon_pid(paths.cluster(name))
    ours = [daemon, *processes.in_namespaces(namespaces)]
    found = {pid: _label(pid) for pid in [*ours, *_pods(ours)]}
    before = {pid: _cpu_seconds(pid) for pid in found}
    time.sleep(WINDOW_SECONDS)
    memory: dict[str, float] = {}
    cpu: dict[str, float] = {}
    for pid, label in found.items():
        if label and processes.alive(pid):
            memory[label] = memory.get(label, 0) + _memory_mib(pid)
            used = _cpu_seconds(pid) - before[pid]
            cpu[label] = cpu.get(label, 0) + 100 * used / WINDOW_SECONDS
    order = sorted(memory, key=lambda label: -memory[label])
    return [
        Figure("total memory", "MiB", (sum(memory.values()),)),
        Figure("total CPU", "% of a core", (sum(cpu.values()),)),
        *(Figure(f"{label} memory", "MiB", (memory[label],)) for label in order),
        *(Figure(f"{label} CPU", "% of a core", (cpu[label],)) for label in order),
    ]


def _pods(ours: Iterable[int]) -> set[int]:
    """Processes of pods: in network namespaces of their own, but below a machine's processes."""
    below: set[int] = set()
    for pid in ours:
        with contextlib.suppress(psutil.NoSuchProcess):
            below |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return below - set(ours)


def _label(pid: int) -> str:
    """Name of the program behind `pid`: a binary's own name, or the module that Python runs."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return ""
    if "-m" in words:
        return words[words.index("-m") + 1]
    return Path(words[0]).name if words else ""


def _memory_mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_full_info().pss) / 2**20


def _cpu_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
