"""Presets, models and machines by the name that a user typed, or a message that helps."""

import argparse
import difflib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from cli import hub, settings
from presets import catalog, derive, gpus, preset

LOCAL = "local"
"""Stands for the machine at hand without its GPUs, where small models run on the CPU."""

UNKNOWN_NAME = 2
"""Exit status for a name that stands for nothing: wrong usage."""


class NotFound(Exception):
    """There is nothing to work on; the message is what to print, `status` how to end."""

    def __init__(self, message: str, status: int = UNKNOWN_NAME) -> None:
        super().__init__(message)
        self.status = status


def add_flag(parser: argparse.ArgumentParser) -> None:
    """Let a verb take presets of the user's own."""
    text = "directory of preset files (YAML) that add to ours or replace them"
    parser.add_argument("--presets", type=Path, metavar="DIR", help=text)


def catalogue(own: Path | None) -> catalog.Catalog:
    """The presets that we carry, with those of the directory `own`.

    Raises:
        NotFound: the directory cannot be read, or files in it are malformed; all errors are named.
    """
    if own is None:
        return catalog.load()
    try:
        return catalog.load(catalog.read_directory(own))
    except OSError as error:
        why = error.strerror or str(error)
        raise NotFound(f"error: --presets {own}: {why}\n  hint: check the path", 1) from error
    except catalog.MalformedPresets as error:
        lines = "\n".join(f"error: {line}" for line in str(error).splitlines())
        raise NotFound(lines.replace("error:   hint:", "  hint:"), 1) from error


def model(name: str, own: Path | None) -> preset.Preset:
    """The preset of that name, alias or hub id; `own` as in `catalogue`.

    Raises:
        NotFound: there is none; the nearest three are named.
    """
    known = catalogue(own)
    if found := known.find(name):
        return found
    hint = _nearest(known.nearest(name)) or "plainsail presets lists them all"
    raise NotFound(f'error: "{name}" is not a preset (UnknownPreset)\n  hint: {hint}')


def from_config(path: Path, name: str | None) -> preset.Preset:
    """What the `config.json` at `path`, or in the directory there, says of a model.

    Sizes of weight files beside it count; without them the size is estimated from the shapes.

    Raises:
        NotFound: the file cannot be read, or is not the config of a model that can be sized.
    """
    folder = path if path.is_dir() else path.parent
    file = path / "config.json" if path.is_dir() else path
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return derive.preset(
            raw,
            name or str(folder.resolve()),
            weight_files={each.name: each.stat().st_size for each in folder.iterdir()},
        )
    except OSError as error:
        why = error.strerror or str(error)
        raise NotFound(f"error: {file}: {why}\n  hint: check the path", 1) from error
    except derive.MalformedConfig as error:
        lines = (f"error: {file}: {each.render()}" for each in error.errors)
        raise NotFound("\n".join(lines), 1) from error
    except ValueError as error:
        raise NotFound(f"error: {file}: not JSON: {error}", 1) from error


def from_hub(model_: str) -> preset.Preset:
    """What the hub says of `org/name`: its config, and the sizes of its weight files.

    Raises:
        NotFound: the hub cannot be asked, or the model cannot be sized.
    """
    try:
        found = hub.look_up(model_, settings.hub())
        return derive.preset(
            found.config, model_, revision=found.revision, weight_files=found.file_bytes
        )
    except hub.Unreachable as error:
        raise NotFound(f"error: {error}\n  hint: {error.hint}", 1) from error
    except derive.MalformedConfig as error:
        lines = (f"error: {model_}: {each.render()}" for each in error.errors)
        raise NotFound("\n".join(lines), 1) from error


def machine(name: str) -> gpus.InstanceType:
    """The instance type of that name; `local` is this machine without its GPUs.

    Raises:
        NotFound: there is none; the nearest three are named.
    """
    if name == LOCAL:
        return this_machine()
    by_name = {known.lower(): one for known, one in gpus.INSTANCE_TYPES.items()}
    if found := by_name.get(name.lower()):
        return found
    near = difflib.get_close_matches(name.lower(), by_name, n=3, cutoff=0.5)
    hint = _nearest(by_name[each].name for each in near) or "plainsail offers NAME lists some"
    raise NotFound(f'error: "{name}" is not an instance type (UnknownInstanceType)\n  hint: {hint}')


def this_machine() -> gpus.InstanceType:
    """The machine at hand: its memory, and no GPU."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return gpus.without_gpu(LOCAL, memory)


def mig_profile(on: gpus.InstanceType, name: str) -> gpus.MigProfile:
    """The slice of that name of the machine's GPU.

    Raises:
        NotFound: the GPU has no such slice; those that it has are named.
    """
    for profile in on.model.mig:
        if profile.name == name:
            return profile
    known = ", ".join(profile.name for profile in on.model.mig)
    hint = f"known: {known}" if known else f"{on.gpu} cannot be cut"
    raise NotFound(f'error: "{name}" is not a MIG profile of {on.gpu}\n  hint: {hint}')


def _nearest(names: Iterable[str]) -> str:
    quoted = " or ".join(f'"{name}"' for name in names)
    return f"did you mean {quoted}?" if quoted else ""
