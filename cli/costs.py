"""What a workload costs and how much GPU memory it takes, in one line."""

from typing import Any

from cli import choices, figures
from presets import gpus, prices, sizing
from presets.sizing import memory
from webhook import workloads
from webhook.terms import Terms


def line(workload: dict[str, Any], terms: Terms) -> str:
    """Preset, GPUs, machine, price and memory of a pod of an expanded workload; empty: unknown.

    The machine is the one that is tried first; the price is the list price of the snapshot, and
    the memory that of all the pod's GPUs.
    """
    choice = choices.of(workload, terms)
    if choice is None:
        return ""
    if choice.is_on_processors:
        return f"{choice.model.name} on processors, nothing is bought"
    if choice.machine is None:
        return ""
    parts = [
        f"{choice.model.name} on {_gpus(choice.spec.gpus, choice.machine)}, {choice.machine.name}",
        _price(choice, choice.machine),
    ]
    if layout := choice.layout:
        parts.append(_memory(layout, choice.spec.gpus))
    return ", ".join(parts)


def _gpus(count: int, machine: gpus.InstanceType) -> str:
    whole = figures.machines(machine, 1)
    return whole if count == machine.gpus else f"{count} of {whole}"


def _price(choice: choices.Choice, machine: gpus.InstanceType) -> str:
    if not choice.is_bought:
        return "nothing is bought"
    capacity = choice.spec.capacity_types[0]
    price = prices.snapshot().find(machine.name, capacity)
    if price is None:
        return f"{capacity} price unknown"
    return f"{prices.shown(price.microdollars_per_hour)} {capacity}{_pods(choice.workload)}"


def _pods(workload: dict[str, Any]) -> str:
    """How often that is paid: what the workload says, not what an autoscaler makes of it."""
    spec = workloads.part(workload, "spec")
    count = spec.get("parallelism" if workloads.kind_of(workload) == workloads.JOB else "replicas")
    return f" for each of {count} pods" if isinstance(count, int) and count != 1 else ""


def _memory(layout: sizing.Layout, count: int) -> str:
    needed, there = layout.bill.total * layout.gpus_per_replica, layout.bill.capacity * count
    return f"{needed / memory.GIB:,.1f} of {there / memory.GIB:,.1f} GiB of GPU memory"
