"""The torch stack of the lock as a directory that device plugins mount into pods, read-only.

Files are linked from uv's cache, so the directory takes almost no disk.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import cached
from deploy.local.failures import CannotRun
from deploy.local.images import lockfile, runtime_image
from deploy.local.images.runtime_image import Report

IMPORTS = """
import torch, transformers, peft, accelerate, safetensors.torch, huggingface_hub, tokenizers
import torch._dynamo
from transformers import (AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig,
    LlamaForCausalLM, Phi3ForCausalLM, PreTrainedTokenizerFast, TextIteratorStreamer, Trainer)
"""
"""What a model server loads: imported once, so that its bytecode is there."""
PHI_3 = (
    "microsoft/Phi-3-mini-4k-instruct",
    "0a67737cc96d2554230f90338b163bc6380a2a85",
)
FORMAT = "1"
"""Part of every key: raise it when this program writes directories differently."""
_README = """\
# Stand-ins, not the models that the names say

This directory has the layout of a model hub's cache, so that pods on a machine without a network
load by the public name. The weights are Plainsail's own tiny models of the same architecture. They
answer, but they are not the models that the names say:

"""


@dataclass(frozen=True)
class StandIn:
    """Weights that answer to the name of a hub's repository."""

    repository: str
    """`org/name`."""
    revision: str
    """Commit."""
    weights: Path
    """Directory with configuration, tokenizer and weights."""


def prepare(repository: Path, cache: Path, report: Report) -> Path:
    """Directory of the torch stack with bytecode, made once per lock and Python.

    Raises:
        CannotRun: a package cannot be installed, or the stack cannot be imported.
    """
    pins = lockfile.parse((repository / "requirements/runtime.txt").read_text())
    lock = lockfile.text(lockfile.split(pins).torch_stack)
    site = runtime_image.light_packages(repository, cache, report)
    home = cache / f"torch-{cached.key(FORMAT, sys.version, IMPORTS, lock)}"

    def fill(fresh: Path) -> None:
        report("torch stack: linking (a first installation fetches 3 GB)")
        runtime_image.install(repository, lock, fresh, report)
        shutil.rmtree(fresh / "bin", ignore_errors=True)
        report("torch stack: importing once, for its bytecode")
        _import(fresh, site)

    return cached.directory(home, fill)


def _import(stack: Path, site: Path) -> None:
    environment = {
        "HOME": str(stack.parent),
        "PATH": os.defpath,
        "PYTHONPATH": f"{stack}:{site}",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [os.path.realpath(sys.executable), "-c", IMPORTS],
        env=environment,
        cwd=stack,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise CannotRun(f"the torch stack cannot be imported: {lines[-1]}")


def stand_ins(repository: Path) -> list[StandIn]:
    """The repository's stand-ins: its Phi-3 twin under the name of Phi-3 mini."""
    return [StandIn(*PHI_3, weights=repository / "models/tiny-phi3")]


def hub_cache(stands: Sequence[StandIn], cache: Path) -> Path:
    """Directory in the layout of a hub's cache that holds the stand-ins, and says so.

    Raises:
        CannotRun: the weights of one are missing.
    """
    missing = [stand.weights for stand in stands if not (stand.weights / "config.json").is_file()]
    if missing:
        raise CannotRun(f"{missing[0]}: no model there", "make model trains it")
    contents: list[str | bytes] = [FORMAT, _README]
    for stand in stands:
        contents += [stand.repository, stand.revision]
        for file in sorted(path for path in stand.weights.rglob("*") if path.is_file()):
            contents += [str(file.relative_to(stand.weights)), file.read_bytes()]
    home = cache / f"hub-{cached.key(*contents)}"
    return cached.directory(home, lambda fresh: _fill_hub(stands, fresh))


def _fill_hub(stands: Sequence[StandIn], fresh: Path) -> None:
    """Source of the layout: huggingface_hub's guide "Understand caching"."""
    lines = [f"- {stand.repository}: {stand.weights.name}\n" for stand in stands]
    readme = _README + "".join(lines)
    (fresh / "README.md").write_text(readme)
    for stand in stands:
        home = fresh / f"models--{stand.repository.replace('/', '--')}"
        snapshot = home / "snapshots" / stand.revision
        shutil.copytree(stand.weights, snapshot, copy_function=shutil.copyfile)
        (snapshot / "README.md").write_text(readme)
        (home / "refs").mkdir()
        (home / "refs/main").write_text(stand.revision)
