"""Which pins of a lock go where: into the runtime image, into the torch stack, or into neither."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TORCH_STACK = frozenset(
    {
        "accelerate",
        "huggingface-hub",
        "peft",
        "safetensors",
        "tokenizers",
        "torch",
        "transformers",
    }
)
"""Direct requirements that reach pods by mounts; what only they need comes along."""
CONTROL_PLANE = frozenset({"cryptography", "kubernetes"})
"""Direct requirements that the model server never imports; what only they need stays out too."""
CERTIFICATES = "certifi"
"""CA certificates of the image: in it though nothing of the light part asks for it."""

_PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==")
_PARENT = re.compile(r"\s+#\s+(?:via\s+)?(\S.*)")
_DIRECT = "(pyproject.toml)"


@dataclass(frozen=True)
class Pin:
    """One package of a lock."""

    name: str
    text: str
    """Its lines: version, marker and hashes."""
    parents: frozenset[str]
    """Packages that ask for it."""
    direct: bool
    """Whether pyproject.toml asks for it."""


@dataclass(frozen=True)
class Split:
    """A lock in parts; a package that two parts need is in the light one."""

    light: tuple[Pin, ...]
    torch_stack: tuple[Pin, ...]
    left_out: tuple[Pin, ...]


def parse(lock: str) -> list[Pin]:
    """The pins of a lock in the form of `uv pip compile`, in its order."""
    pins: list[Pin] = []
    lines: list[str] = []
    for line in lock.splitlines():
        if _PIN.match(line) and lines:
            pins.append(_pin(lines))
            lines = []
        if line.strip() and (lines or _PIN.match(line)):
            lines.append(line)
    return [*pins, _pin(lines)] if lines else pins


def _pin(lines: Sequence[str]) -> Pin:
    match = _PIN.match(lines[0])
    assert match is not None
    comments = [found[1] for line in lines if (found := _PARENT.match(line))]
    return Pin(
        name=match[1],
        text="".join(f"{line}\n" for line in lines if not line.lstrip().startswith("#")),
        parents=frozenset(comment for comment in comments if " " not in comment),
        direct=any(comment.endswith(_DIRECT) for comment in comments),
    )


def split(pins: Sequence[Pin]) -> Split:
    """The lock in parts: each pin is in exactly one.

    A direct requirement that is named in neither `TORCH_STACK` nor `CONTROL_PLANE` is light.
    """
    elsewhere = TORCH_STACK | CONTROL_PLANE
    roots = {pin.name for pin in pins if pin.direct} - elsewhere
    light = closure(pins, {*roots, CERTIFICATES}, without=elsewhere)
    heavy = closure(pins, TORCH_STACK, without=light | CONTROL_PLANE)
    return Split(
        light=tuple(pin for pin in pins if pin.name in light),
        torch_stack=tuple(pin for pin in pins if pin.name in heavy),
        left_out=tuple(pin for pin in pins if pin.name not in light | heavy),
    )


def closure(
    pins: Sequence[Pin], roots: Iterable[str], *, without: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Names of `roots` and of everything that they ask for, stopping at `without`."""
    found = {pin.name for pin in pins if pin.name in set(roots)}
    while True:
        more = {pin.name for pin in pins if pin.name not in found | without and pin.parents & found}
        if not more:
            return frozenset(found)
        found |= more


def text(pins: Iterable[Pin]) -> str:
    """A lock of these pins."""
    return "".join(pin.text for pin in pins)
