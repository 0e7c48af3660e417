"""Arguments of the programs of a tuning run: `fetch`, `tune` and `push`, containers of one pod.

| program | when | ends with 0 | ends with 2 |
|---|---|---|---|
| `fetch` | first, alone | every file is whole under its output | a URL is refused for good |
| `tune` | after it | the adapter is under its output | settings or data cannot be used |
| `push` | beside `tune` | the image is in the registry | the registry refuses login or name |

Any other status is a failure that another pod may not meet. `tune` keeps whole checkpoints under
its output and goes on from the newest; a run whose adapter is there already ends with 0 at once.

`push` must outlive `tune` and never wait for one that is gone, however it went (out of memory, a
crash). So `tune` takes an exclusive lock (flock) on the file LOCK before anything else and holds it
until it ends; the kernel takes it from a process that dies. `push` waits for that file, at most ten
minutes, then for the lock; if there is no adapter then, it ends with 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from presets import forms
from presets.runtime_args import command_line
from presets.runtime_args.serve import DTYPES

FETCH = "fetch"
TUNE = "tune"
PUSH = "push"

DATA = "/mnt/data"
RESULTS = "/mnt/results"
CONFIG = "/mnt/config/training_config.yaml"
"""Where a tuning run finds its data and its settings and leaves the adapter, as in KAITO v0.3.0."""

LOGIN = "/mnt/push/config.json"
"""Credentials of registries in Docker's format."""

LOCK = "/run/plainsail/tune.lock"
"""File by which `push` knows that `tune` has ended."""

METHODS = (forms.LORA, forms.QLORA)


@dataclass(frozen=True)
class FetchArgs:
    """Arguments of `fetch`."""

    VERB: ClassVar = FETCH

    urls: tuple[str, ...]
    """Of http or https, each once; at least one. Each becomes a file of its base name."""
    output: str = DATA
    """Directory of the files."""

    def to_argv(self) -> list[str]:
        """`fetch` and one `--key=value` per URL and per field that differs from its default."""
        return [FETCH, *(text for _, text in command_line.written(self, _FETCH))]

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> "FetchArgs":
        """The arguments that `to_argv` wrote.

        Raises:
            MalformedArguments: they are not those of `fetch`.
        """
        found = command_line.read(cls, FETCH, "download the data of a tuning run", _FETCH, argv)
        return cls(**{**found, "urls": tuple(found["urls"])})


@dataclass(frozen=True)
class TuneArgs:
    """Arguments of `tune`."""

    VERB: ClassVar = TUNE

    method: str
    """`lora` or `qlora`."""
    model: str
    """Directory of the weights, or `org/name` of the hub."""
    revision: str = ""
    """Commit of the hub repository; empty for a directory."""
    dtype: str = "auto"
    """Type to compute in: `auto` (the model's own), `bfloat16`, `float16` or `float32`."""
    data: str = DATA
    """Directory of the data files."""
    output: str = RESULTS
    """Directory of the checkpoints and, in the end, of the adapter."""
    config: str = ""
    """YAML file in KAITO's layout; empty: the method's defaults."""

    def to_argv(self) -> list[str]:
        """`tune` and one `--key=value` per field that differs from its default."""
        return [TUNE, *(text for _, text in command_line.written(self, _TUNE))]

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> "TuneArgs":
        """The arguments that `to_argv` wrote.

        Raises:
            MalformedArguments: they are not those of `tune`.
        """
        return cls(**command_line.read(cls, TUNE, "tune a model on data", _TUNE, argv))


@dataclass(frozen=True)
class PushArgs:
    """Arguments of `push`."""

    VERB: ClassVar = PUSH

    image: str
    """Reference under which the adapter is pushed, in KAITO's layout."""
    model: str
    """Name of the preset that was tuned; goes into the image's annotations, as in KAITO."""
    source: str = RESULTS
    """Directory of the adapter: the output of `tune`."""
    login: str = LOGIN
    """File of credentials."""

    def to_argv(self) -> list[str]:
        """`push` and one `--key=value` per field that differs from its default."""
        return [PUSH, *(text for _, text in command_line.written(self, _PUSH))]

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> "PushArgs":
        """The arguments that `to_argv` wrote.

        Raises:
            MalformedArguments: they are not those of `push`.
        """
        return cls(**command_line.read(cls, PUSH, "push an adapter as an image", _PUSH, argv))


_TEXT = {"type": command_line.text}

_FETCH: command_line.Options = {
    "urls": {
        "flag": "--url",
        "type": command_line.text,
        "action": "append",
        "metavar": "URL",
        "help": "of a data file; may be repeated",
    },
    "output": {**_TEXT, "metavar": "DIR", "help": "of the files (%(default)s)"},
}

_TUNE: command_line.Options = {
    "method": {
        "type": command_line.one_of(METHODS),
        "metavar": "|".join(METHODS),
        "help": "how to tune",
    },
    "model": {**_TEXT, "metavar": "DIR|ORG/NAME", "help": "the weights"},
    "revision": {"metavar": "COMMIT", "help": "of the hub repository"},
    "dtype": {
        "type": command_line.one_of(DTYPES),
        "metavar": "|".join(DTYPES),
        "help": "type to compute in (%(default)s)",
    },
    "data": {**_TEXT, "metavar": "DIR", "help": "of the data files (%(default)s)"},
    "output": {**_TEXT, "metavar": "DIR", "help": "of the adapter (%(default)s)"},
    "config": {"metavar": "FILE", "help": "settings in KAITO's layout"},
}

_PUSH: command_line.Options = {
    "image": {**_TEXT, "metavar": "REF", "help": "where to push to"},
    "model": {**_TEXT, "metavar": "NAME", "help": "the preset that was tuned"},
    "source": {**_TEXT, "metavar": "DIR", "help": "of the adapter (%(default)s)"},
    "login": {**_TEXT, "metavar": "FILE", "help": "credentials (%(default)s)"},
}
