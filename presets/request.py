"""What a user asks for: `Request`; `presets.metadata` reads it from labels and annotations."""

from dataclasses import dataclass

from presets import adapter_list, forms, sources


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
