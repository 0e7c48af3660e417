"""The model server's arguments: the contract from the webhook to the runtime.

`from_argv(to_argv(args)) == args` for both verbs. Stored pods carry command lines: what one version
writes every later one must read.
"""

import argparse
import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from typing_extensions import override

from presets import adapter_list, forms, syntax

PORT = 5000
"""Port of the model server, KAITO's since v0.1."""

DATA = "/mnt/data"
RESULTS = "/mnt/results"
CONFIG = "/mnt/config/training_config.yaml"
"""Where a tuning run finds its data and its settings and leaves the adapter, as in KAITO v0.3.0."""

DTYPES = ("auto", "bfloat16", "float16", "float32")
KV_DTYPES = ("auto", "fp8", "bfloat16", "float16")
RUNTIMES = (forms.AUTO, forms.TRANSFORMERS, forms.VLLM)
QUANTIZATIONS = ("none", "int8", "fp8", "nf4")
METHODS = (forms.LORA, forms.QLORA)

LATER = frozenset(
    {
        "runtime",
        "tensor_parallel",
        "pipeline_parallel",
        "max_sequences",
        "quantization",
        "kv_dtype",
        "chat_template",
        "tool_parser",
        "reasoning_parser",
        "trust_remote_code",
    }
)
"""Fields of `ServeArgs` that the model server does not act on yet; of runtimes it is one of
transformers, so that `transformers` asks for nothing."""

_MOST_PORT = 65535
_MOST_COUNT = 2**31 - 1
"""Of tokens, sequences and GPUs: what every engine holds them in."""


class MalformedArguments(ValueError):
    """The command line is not one of the model server's; the message names the argument."""


@dataclass(frozen=True)
class ServedAdapter:
    """An adapter that is served beside the model."""

    name: str
    """DNS label."""
    directory: str
    """Absolute; holds `adapter_config.json`."""
    strength: Decimal = adapter_list.FULL
    """0 to 1, at most six decimals: the factor on what the adapter adds."""


@dataclass(frozen=True)
class ServeArgs:
    """Arguments of `serve`."""

    model: str
    """Directory of the weights, or `org/name` of the hub; `tiny-chat` is inside the image."""
    served_name: str
    """Name that `/v1/models` lists and answers carry: the preset's."""
    revision: str = ""
    """Commit of the hub repository; empty for a directory."""
    dtype: str = "auto"
    """`auto` (the model's own), `bfloat16`, `float16` or `float32`."""
    context_tokens: int = 0
    """Longest prompt plus answer served; 0 is the model's own limit."""
    port: int = PORT
    """0: any that is free."""
    adapters: tuple[ServedAdapter, ...] = ()
    """At most `adapter_list.MOST`, of different names; the model answers with the sum of all."""
    runtime: str = forms.AUTO
    """Engine: `auto` (the image's own choice), `transformers` or `vllm`."""
    tensor_parallel: int = 1
    """GPUs that every layer is divided among."""
    pipeline_parallel: int = 1
    """Stages that the layers are divided into."""
    max_sequences: int = 0
    """Sequences at once; 0 is the engine's own limit."""
    quantization: str = "none"
    """How weights are quantized while they are loaded: `int8` (rows), `fp8`, `nf4` (bitsandbytes);
    `none`: they stay as they are stored."""
    kv_dtype: str = "auto"
    """Type of the KV cache: `auto` (that of the computation), `fp8`, `bfloat16`, `float16`."""
    chat_template: str = ""
    """File of the template; empty: the tokenizer's own."""
    tool_parser: str = ""
    """vLLM's name of the parser of tool calls; empty: none."""
    reasoning_parser: str = ""
    """vLLM's name of the parser of reasoning; empty: none."""
    trust_remote_code: bool = False
    """Code of the model's repository may run."""

    def to_argv(self) -> list[str]:
        """`serve` and one `--key=value` per field that differs from its default."""
        return ["serve", *(text for _, text in _written(self))]

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> "ServeArgs":
        """The arguments that `to_argv` wrote.

        Raises:
            MalformedArguments: unknown verb or key, missing model, a key twice, or a value of the
                wrong type.
        """
        found = _read(cls, "serve", "answer requests with a model", argv)
        adapters = tuple(found.pop("adapters"))
        if len({one.name for one in adapters}) < len(adapters):
            raise MalformedArguments("argument --adapter: names an adapter twice")
        if len(adapters) > adapter_list.MOST:
            raise MalformedArguments(f"argument --adapter: at most {adapter_list.MOST} adapters")
        served_name = found.pop("served_name") or found["model"]
        return cls(**found, served_name=served_name, adapters=adapters)


@dataclass(frozen=True)
class TuneArgs:
    """Arguments of `tune`."""

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
        return ["tune", *(text for _, text in _written(self))]

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> "TuneArgs":
        """The arguments that `to_argv` wrote.

        Raises:
            MalformedArguments: unknown verb or key, missing method or model, a key twice, or a
                value of the wrong type.
        """
        return cls(**_read(cls, "tune", "tune a model on data", argv))


def require_supported(args: ServeArgs) -> None:
    """Nothing where the model server acts on every argument: an ignored wish is worse than none.

    Raises:
        MalformedArguments: some of `LATER` are set; all of them are named.
    """
    if args.runtime == forms.TRANSFORMERS:
        args = dataclasses.replace(args, runtime=forms.AUTO)
    if asked := [text for name, text in _written(args) if name in LATER]:
        raise MalformedArguments(
            f"this version of the model server cannot do yet: {' '.join(asked)}"
        )


def _written(args: ServeArgs | TuneArgs) -> Iterator[tuple[str, str]]:
    """Field and argument of everything that differs from its default."""
    for field in dataclasses.fields(args):
        value = getattr(args, field.name)
        if value == field.default:
            continue
        option = _option(field.name)
        if value is True:
            yield field.name, option
        elif field.name == "adapters":
            for one in value:
                yield field.name, f"{option}={one.name}:{one.strength:f}:{one.directory}"
        else:
            yield field.name, f"{option}={value}"


def _read(
    of: type[ServeArgs | TuneArgs], verb: str, summary: str, argv: Sequence[str]
) -> dict[str, Any]:
    """The values of a command line by field."""
    parser = _Parser(prog="plainsail-runtime", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    options = verbs.add_parser(verb, allow_abbrev=False, help=summary)
    for field in dataclasses.fields(of):
        required = field.default is dataclasses.MISSING and field.name != "served_name"
        default = None if field.default is dataclasses.MISSING else field.default
        settings = {"action": _Once, "required": required, "default": default}
        options.add_argument(
            _option(field.name), dest=field.name, **{**settings, **_OPTIONS[field.name]}
        )
    found = parser.parse_args(argv)
    return {field.name: getattr(found, field.name) for field in dataclasses.fields(of)}


def _option(field: str) -> str:
    return "--adapter" if field == "adapters" else f"--{field.replace('_', '-')}"


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        raise MalformedArguments(message)


class _Once(argparse.Action):
    """Stores the value; a second one is refused where argparse would take the last."""

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        given: set[str] = namespace.__dict__.setdefault("_given", set())
        if self.dest in given:
            raise argparse.ArgumentError(self, "is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def _count(least: int, most: int = _MOST_COUNT, zero: str = "") -> Callable[[str], int]:
    """Reads a whole number from `least` to `most`; `zero`: what 0 stands for."""
    first = f"{least} ({zero})" if zero else str(least)

    def read(text: str) -> int:
        if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {first} to {most}")
        return int(text)

    return read


def _one_of(names: Sequence[str]) -> Callable[[str], str]:
    """Reads one of the names."""

    def read(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"invalid choice: {text!r}; {', '.join(names)}")
        return text

    return read


def _text(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("is empty")
    return text


def _adapter(text: str) -> ServedAdapter:
    """The adapter of `NAME:STRENGTH:DIRECTORY`."""
    name, _, rest = text.partition(":")
    strength, _, directory = rest.partition(":")
    factor = adapter_list.strength(strength)
    if not syntax.is_dns_label(name) or factor is None or not directory.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text} is not NAME:STRENGTH:/DIRECTORY")
    return ServedAdapter(name, directory, factor)


_DIGITS = re.compile(r"\d{1,10}", re.ASCII)

_OPTIONS: dict[str, dict[str, Any]] = {
    "model": {"type": _text, "metavar": "DIR|ORG/NAME", "help": "the weights"},
    "served_name": {"default": "", "metavar": "NAME", "help": "in answers; else the model's"},
    "revision": {"metavar": "COMMIT", "help": "of the hub repository"},
    "dtype": {
        "type": _one_of(DTYPES),
        "metavar": "|".join(DTYPES),
        "help": "type to compute in (%(default)s)",
    },
    "context_tokens": {
        "type": _count(0, zero="the model's own"),
        "metavar": "N",
        "help": "longest prompt plus answer; 0: the model's own",
    },
    "port": {
        "type": _count(0, _MOST_PORT, zero="any that is free"),
        "metavar": "N",
        "help": "%(default)s",
    },
    "adapters": {
        "type": _adapter,
        "action": "append",
        "default": [],
        "metavar": "NAME:STRENGTH:DIR",
        "help": "a LoRA adapter; may be repeated",
    },
    "runtime": {
        "type": _one_of(RUNTIMES),
        "metavar": "|".join(RUNTIMES),
        "help": "engine (%(default)s)",
    },
    "tensor_parallel": {"type": _count(1), "metavar": "N", "help": "GPUs of every layer"},
    "pipeline_parallel": {"type": _count(1), "metavar": "N", "help": "stages of the layers"},
    "max_sequences": {
        "type": _count(0, zero="the engine's own"),
        "metavar": "N",
        "help": "sequences at once; 0: the engine's own",
    },
    "quantization": {
        "type": _one_of(QUANTIZATIONS),
        "metavar": "|".join(QUANTIZATIONS),
        "help": "of weights while loading (%(default)s)",
    },
    "kv_dtype": {
        "type": _one_of(KV_DTYPES),
        "metavar": "|".join(KV_DTYPES),
        "help": "type of the KV cache (%(default)s)",
    },
    "chat_template": {"metavar": "FILE", "help": "in place of the tokenizer's own"},
    "tool_parser": {"metavar": "NAME", "help": "vLLM's parser of tool calls"},
    "reasoning_parser": {"metavar": "NAME", "help": "vLLM's parser of reasoning"},
    "trust_remote_code": {
        "action": "store_true",
        "help": "let code of the model's repository run",
    },
    "method": {"type": _one_of(METHODS), "metavar": "|".join(METHODS), "help": "how to tune"},
    "data": {"type": _text, "metavar": "DIR", "help": "of the data files (%(default)s)"},
    "output": {"type": _text, "metavar": "DIR", "help": "of the adapter (%(default)s)"},
    "config": {"metavar": "FILE", "help": "settings in KAITO's layout"},
}
"""How each field of the arguments is read; `_read` adds name and default."""
