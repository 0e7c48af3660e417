"""Where a model's files are, and whether they can be a model's: answered before torch is imported.

Also the rules for dtype and threads, which need no torch to be stated.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path


class CannotLoad(Exception):
    """There will be no model: one line what is wrong, one hint."""

    exit_code = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}\nhint: {hint}")


class NotAModel(CannotLoad):
    """No directory, or not a model's."""

    exit_code = 3


class HubUnavailable(CannotLoad):
    """The hub cannot be reached, or does not give us this model, and the cache has no copy."""

    exit_code = 4


@dataclass(frozen=True)
class HubName:
    """A repository of the model hub."""

    name: str
    revision: str
    """Commit, tag or branch; empty is the default branch."""


_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def locate(model: str, revision: str, models: Path) -> Path | HubName:
    """The directory or hub repository that `--model` names.

    A bare name is a model inside the image, under `models`; an existing directory comes before a
    hub repository of the same name.
    """
    if Path(model).is_dir():
        return Path(model)
    if "/" not in model:
        return models / model
    return HubName(model, revision) if _HUB_NAME.fullmatch(model) else Path(model)


def check(directory: Path) -> None:
    """Nothing, if `directory` holds what a model needs.

    Raises:
        NotAModel: it is missing, or lacks config.json, a tokenizer or safetensors weights.
    """
    if not directory.is_dir():
        raise NotAModel(
            f"--model: {directory} is not a directory",
            "mount the weights there, or give ORG/NAME of the model hub",
        )
    config = directory / "config.json"
    try:
        json.loads(config.read_text())
    except FileNotFoundError:
        raise NotAModel(
            f"--model: {directory} has no config.json",
            "give the directory that from_pretrained would take, not one above it",
        ) from None
    except (OSError, ValueError) as error:
        raise NotAModel(
            f"--model: {config} cannot be read: {error}", "copy the model's files again"
        ) from error
    if not any(directory.glob("*.safetensors")):
        raise NotAModel(
            f"--model: {directory} has no *.safetensors weights",
            "convert the weights to safetensors; pickled weights (.bin) are not loaded",
        )


SMALL_PARAMETERS = 50_000_000
"""Below it a second thread gains at most a quarter (measured: nothing at 2 million parameters, 8 %
at 10, 25 % at 42) and, when another process takes one of its cores, costs ten times: torch's
threads spin at a barrier after every operation."""


def threads(parameters: int, cpus: int) -> int:
    """Threads of a torch operation for a model of this size on the CPU."""
    return 1 if parameters < SMALL_PARAMETERS else cpus


@dataclass(frozen=True)
class Dtype:
    """The dtype to load in, and why it differs from what was asked, if it does."""

    name: str
    because: str = ""


BFLOAT16_CAPABILITY = (8, 0)
"""Ampere: the first GPUs that compute in bfloat16. Source: CUDA C++ Programming Guide, table
"Feature Support per Compute Capability"."""


def choose_dtype(asked: str, own: str, capability: tuple[int, int] | None) -> Dtype:
    """The dtype for `asked` (`auto` is the model's `own`) on a GPU, or on the CPU (None)."""
    name = own if asked == "auto" else asked
    if name not in {"bfloat16", "float16", "float32"}:
        return Dtype("float32", f"{name or 'no dtype'} cannot be loaded as it is")
    if capability is None and name == "float16":
        return Dtype("bfloat16", "CPUs have no usable float16 arithmetic")
    if capability is not None and name == "bfloat16" and capability < BFLOAT16_CAPABILITY:
        return Dtype("float16", "this GPU has no bfloat16 arithmetic")
    return Dtype(name)
