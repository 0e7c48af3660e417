"""What is known of a model that a name stands for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """Where the weights are and how big they are."""

    source: str
    """`org/name` of the hub, or an absolute directory inside the runtime image."""
    revision: str
    """Commit of the hub repository; empty for a directory: the image's tag pins it."""
    size_bytes: int
    """Size of the weight files."""

    @property
    def in_image(self) -> bool:
        """The runtime image holds them: nothing is downloaded."""
        return self.source.startswith("/")


@dataclass(frozen=True)
class Preset:
    """A model by name: what serving it takes."""

    name: str
    aliases: tuple[str, ...]
    licence: str
    """SPDX identifier."""
    weights: Weights
    dtype: str
    """Type that it is served in where the GPU has it: `bfloat16`, `float16` or `float32`."""
    context_tokens: int
    """Longest prompt plus answer."""
    gpus: int
    """GPUs that one replica needs."""
    instance_types: tuple[str, ...]
    """Where it runs when the user names none, in order of preference."""
