"""The model server's settings: the only reader of the command line and the environment."""

import os
import tempfile
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from presets import runtime_args

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
"""CPU quota of this cgroup (version 2): `QUOTA PERIOD` in microseconds, or `max PERIOD`."""
BODY_LIMIT_BYTES = 4 * 1024 * 1024
"""Longest request body: four million characters are past the longest context served."""


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on besides the model's own files."""

    serve: runtime_args.ServeArgs
    models: Path
    """Directory of the models inside the image: a bare name is looked up here."""
    cpus: int
    """Whole CPUs of the container's quota, at least one."""
    threads: int = 0
    """Threads of a torch operation; 0 goes by `cpus` and the model's size."""
    host: str = "0.0.0.0"  # noqa: S104 - a pod's server must be reachable from outside it
    waiting_limit: int = 64
    """Requests that may wait for the engine; the next is told to come back."""
    body_limit_bytes: int = BODY_LIMIT_BYTES


def read(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Settings from the command line and `PLAINSAIL_*`, `OMP_NUM_THREADS`.

    Raises:
        presets.runtime_args.MalformedArguments: an argument or a variable is wrong, or asks for
            what this version cannot do; it is named.
    """
    for program in (runtime_args.FetchArgs, runtime_args.TuneArgs, runtime_args.PushArgs):
        if argv[:1] == [program.VERB]:
            program.from_argv(argv)
            raise runtime_args.MalformedArguments(
                f"{program.VERB}: this version of the model server cannot tune"
            )
    serve = runtime_args.ServeArgs.from_argv(argv)
    runtime_args.require_supported(serve)
    return Settings(
        serve=serve,
        models=Path(environ.get("PLAINSAIL_MODELS") or Path(__file__).parents[1] / "models"),
        cpus=whole_cpus(_cpu_max(), _cores()),
        threads=_count(environ, "OMP_NUM_THREADS", 0),
        waiting_limit=_count(environ, "PLAINSAIL_WAITING_LIMIT", 64),
    )


def prepare(environ: MutableMapping[str, str]) -> None:
    """Give libraries that write caches a place to, where HOME is absent or read-only.

    They read these when they are imported: call this before. A user's own values stay.
    """
    home = environ.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        environ["HOME"] = tempfile.gettempdir()
    environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    environ.setdefault("USER", "plainsail")  # torch asks for a name that an unknown uid lacks


def whole_cpus(cpu_max: str, cores: int) -> int:
    """Whole CPUs that the quota allows, at least one, at most `cores`.

    More threads than quota make a pool spin at its barriers until the quota is spent.
    """
    quota, _, period = cpu_max.strip().partition(" ")
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return cores
    return max(1, min(cores, int(quota) // int(period)))


def _cpu_max() -> str:
    try:
        return CPU_MAX.read_text()
    except OSError:  # not Linux, cgroup version 1, or the root cgroup: no quota
        return ""


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def _count(environ: Mapping[str, str], key: str, default: int) -> int:
    text = environ.get(key, "")
    if not text:
        return default
    if not text.isdigit() or int(text) == 0:
        raise runtime_args.MalformedArguments(f"environment {key}: {text!r} is not a count")
    return int(text)
