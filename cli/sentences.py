"""What sentences about added fields are made of: where the fields stand, and what was chosen."""

from collections.abc import Callable
from typing import TypeVar

from cli import choices, figures
from presets import gpus, runtime_args

Path = tuple[str, ...]
"""Keys down to a field, as in the record; elements of lists by their merge key."""

Sentence = Callable[[choices.Choice], str]

TEMPLATE = ("spec", "template")
POD = (*TEMPLATE, "spec")
CONTAINER = (*POD, "containers", "*")

_Args = TypeVar("_Args", runtime_args.ServeArgs, runtime_args.TuneArgs)


def says(sentence: str) -> Sentence:
    """A sentence that is the same for every workload."""
    return lambda _: sentence


def told(choice: choices.Choice, program: type[_Args]) -> _Args | None:
    """What the model's container is told; None where its arguments were changed since."""
    try:
        return program.from_argv([str(arg) for arg in choice.container.get("args") or ()])
    except runtime_args.MalformedArguments:
        return None


def of_preset(choice: choices.Choice, *names: str) -> list[str]:
    """Which arguments are the preset's own, and why the dtype is not, where it is not."""
    model = choice.model
    lacking = gpus.without_bfloat16(choice.spec.instance_types)
    if lacking and model.dtype == "bfloat16":
        dtype = f"dtype: {' and '.join(lacking)} cannot compute in {model.dtype}"
        return [f"{' and '.join(names)} of the preset {model.name}", dtype]
    return [f"{', '.join(names)} and dtype of the preset {model.name}"]


def gpu_count(choice: choices.Choice) -> str:
    """Why as many GPUs: what the model takes on one of them."""
    if choice.is_on_processors:
        return (
            "the cluster has no GPUs: memory for the model, its cache and the process; of"
            " processors the server takes all that are idle"
        )
    count = figures.plural(choice.spec.gpus, "GPU")
    if choice.spec.nodes > 1:
        count += f" on each of {choice.spec.nodes} machines"
    layout, machine = choice.layout, choice.machine
    is_tuned = choice.request.tuning is not None
    if layout is None or machine is None:
        taker = "tuning" if is_tuned else "the preset"
        return f"{count}: as many as {taker} {choice.model.name} takes"
    bill = layout.bill
    beside = (bill.activations, "a step") if is_tuned else (bill.kv_cache, "KV cache")
    parts = f"{figures.size(bill.weights)} of weights, {figures.size(beside[0])} of {beside[1]}"
    each = " each" if layout.gpus_per_replica > 1 else ""
    return (
        f"{count}: {choice.model.name} takes {figures.size(bill.total)}{each} ({parts}) of the"
        f" {figures.size(bill.capacity)} of {machine.gpu} in {machine.name}"
    )
