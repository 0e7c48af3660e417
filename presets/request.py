"""What a user asks for, parsed: `Request`, and which wishes exclude each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from presets import adapter_list, forms, sources
from presets.problems import Problem


@dataclass(frozen=True)
class Tuning:
    """A tuning run: one input, at least one output."""

    method: str
    """`lora` or `qlora`."""
    input_urls: tuple[str, ...] = ()
    input_image: str = ""
    input_pvc: sources.Claim | None = None
    output_image: str = ""
    """Reference under which the adapter is pushed."""
    output_push_secret: str = ""
    """Secret of type `kubernetes.io/dockerconfigjson` for the push."""
    output_pvc: sources.Claim | None = None
    config: str = ""
    """ConfigMap in KAITO's layout; empty: the method's defaults."""


@dataclass(frozen=True)
class Request:
    """What the user asked for; nothing of it is looked up yet."""

    preset: str
    instance_types: tuple[str, ...] = ()
    """In order of preference; empty: the preset's."""
    capacity_types: tuple[str, ...] = (forms.ON_DEMAND,)
    most_per_hour: int | None = None
    """Microdollars for one replica, all its nodes together; None: no limit."""
    provision: str = forms.AUTO
    """`auto`, `gate` or `off`."""
    adapters: tuple[adapter_list.Adapter, ...] = ()
    runtime: str = forms.AUTO
    """`auto`, `transformers` or `vllm`."""
    weights: sources.Weights = sources.FROM_HUB
    container: str = ""
    """Name of the model's container; empty: found by its missing image."""
    service: bool = True
    load_balancer: bool = False
    """The Service is of type `LoadBalancer`."""
    tuning: Tuning | None = None
    """None: the model is served."""


TUNING_METHOD = "tuning-method"
INPUTS = ("tuning-input-urls", "tuning-input-image", "tuning-input-pvc")
OUTPUTS = ("tuning-output-image", "tuning-output-pvc")
PUSH_SECRET = "tuning-output-push-secret"  # noqa: S105 - the name of a key
SERVING = ("adapters", "enablelb", "runtime")
"""Short names of keys: without the prefix."""

_ONE_INPUT = f"exactly one of {', '.join(INPUTS)}"
_ONE_OUTPUT = f"{OUTPUTS[0]} with {PUSH_SECRET}, or {OUTPUTS[1]}"


def contradictions(texts: Mapping[str, str]) -> Iterator[tuple[str, Problem]]:
    """Short name of a key, and what is wrong with it beside the others; `texts` by short name."""
    if texts.get("service") == "none" and texts.get("enablelb") == "True":
        message, hint = "has no effect without a Service", "remove it, or service: none"
        yield "enablelb", Problem(message, hint)
    if TUNING_METHOD in texts:
        yield from _tuning(texts)
    else:
        for key in texts:
            if key.startswith("tuning-"):
                message = f"has no effect without {TUNING_METHOD}"
                yield key, Problem(message, f"{TUNING_METHOD}: {forms.LORA} or {forms.QLORA}")


def _tuning(texts: Mapping[str, str]) -> Iterator[tuple[str, Problem]]:
    given = [key for key in INPUTS if key in texts]
    if not given:
        yield TUNING_METHOD, Problem("has no data to tune on", _ONE_INPUT)
    for key in given[1:]:
        yield key, Problem(f"is a second input beside {given[0]}", _ONE_INPUT)
    if not any(key in texts for key in OUTPUTS):
        yield TUNING_METHOD, Problem("has no place for the adapter", _ONE_OUTPUT)
    if OUTPUTS[0] in texts and PUSH_SECRET not in texts:
        hint = f"{PUSH_SECRET}: a Secret of type kubernetes.io/dockerconfigjson"
        yield OUTPUTS[0], Problem("has no Secret to be pushed with", hint)
    if PUSH_SECRET in texts and OUTPUTS[0] not in texts:
        message = f"has no effect without {OUTPUTS[0]}"
        yield PUSH_SECRET, Problem(message, f"{OUTPUTS[0]}: where to push to")
    for key in SERVING:
        if key in texts:
            message = "has no effect on a tuning run"
            yield key, Problem(message, f"remove it, or {TUNING_METHOD}")
