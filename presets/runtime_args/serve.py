"""Arguments of `serve`: answer requests with a model."""

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from typing_extensions import override

from presets import adapter_list, forms, syntax
from presets.runtime_args import command_line
from presets.runtime_args.command_line import MalformedArguments

SERVE = "serve"

PORT = 5000
"""Port of the model server, KAITO's since v0.1."""

DTYPES = ("auto", "bfloat16", "float16", "float32")
KV_DTYPES = ("auto", "fp8", "bfloat16", "float16")
RUNTIMES = (forms.AUTO, forms.TRANSFORMERS, forms.VLLM)
QUANTIZATIONS = ("none", "int8", "fp8", "nf4")

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


@dataclass(frozen=True)
class ServedAdapter:
    """An adapter that is served beside the model."""

    name: str
    """DNS label."""
    directory: str
    """Absolute; holds `adapter_config.json`."""
    strength: Decimal = adapter_list.FULL
    """0 to 1, at most six decimals: the factor on what the adapter adds."""

    @override
    def __str__(self) -> str:
        """As `--adapter` takes it."""
        return f"{self.name}:{self.strength:f}:{self.directory}"


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
        return [SERVE, *(text for _, text in command_line.written(self, _OPTIONS))]

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> "ServeArgs":
        """The arguments that `to_argv` wrote.

        Raises:
            MalformedArguments: unknown verb or key, missing model, a key twice, or a value of the
                wrong type.
        """
        found = command_line.read(cls, SERVE, "answer requests with a model", _OPTIONS, argv)
        adapters = tuple(found.pop("adapters"))
        if len({one.name for one in adapters}) < len(adapters):
            raise MalformedArguments("argument --adapter: names an adapter twice")
        if len(adapters) > adapter_list.MOST:
            raise MalformedArguments(f"argument --adapter: at most {adapter_list.MOST} adapters")
        served_name = found.pop("served_name") or found["model"]
        return cls(**found, served_name=served_name, adapters=adapters)


def require_supported(args: ServeArgs) -> None:
    """Nothing where the model server acts on every argument: an ignored wish is worse than none.

    Raises:
        MalformedArguments: some of `LATER` are set; all of them are named.
    """
    if args.runtime == forms.TRANSFORMERS:
        args = dataclasses.replace(args, runtime=forms.AUTO)
    if asked := [text for name, text in command_line.written(args, _OPTIONS) if name in LATER]:
        raise MalformedArguments(
            f"this version of the model server cannot do yet: {' '.join(asked)}"
        )


def _adapter(text: str) -> ServedAdapter:
    """The adapter of `NAME:STRENGTH:DIRECTORY`."""
    name, _, rest = text.partition(":")
    strength, _, directory = rest.partition(":")
    factor = adapter_list.strength(strength)
    if not syntax.is_dns_label(name) or factor is None or not directory.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text} is not NAME:STRENGTH:/DIRECTORY")
    return ServedAdapter(name, directory, factor)


_OPTIONS: command_line.Options = {
    "model": {"type": command_line.text, "metavar": "DIR|ORG/NAME", "help": "the weights"},
    "served_name": {
        "default": "",
        "required": False,
        "metavar": "NAME",
        "help": "in answers; else the model's",
    },
    "revision": {"metavar": "COMMIT", "help": "of the hub repository"},
    "dtype": {
        "type": command_line.one_of(DTYPES),
        "metavar": "|".join(DTYPES),
        "help": "type to compute in (%(default)s)",
    },
    "context_tokens": {
        "type": command_line.count(0, zero="the model's own"),
        "metavar": "N",
        "help": "longest prompt plus answer; 0: the model's own",
    },
    "port": {
        "type": command_line.count(0, _MOST_PORT, zero="any that is free"),
        "metavar": "N",
        "help": "%(default)s",
    },
    "adapters": {
        "flag": "--adapter",
        "type": _adapter,
        "action": "append",
        "default": [],
        "metavar": "NAME:STRENGTH:DIR",
        "help": "a LoRA adapter; may be repeated",
    },
    "runtime": {
        "type": command_line.one_of(RUNTIMES),
        "metavar": "|".join(RUNTIMES),
        "help": "engine (%(default)s)",
    },
    "tensor_parallel": {
        "type": command_line.count(1),
        "metavar": "N",
        "help": "GPUs of every layer",
    },
    "pipeline_parallel": {
        "type": command_line.count(1),
        "metavar": "N",
        "help": "stages of the layers",
    },
    "max_sequences": {
        "type": command_line.count(0, zero="the engine's own"),
        "metavar": "N",
        "help": "sequences at once; 0: the engine's own",
    },
    "quantization": {
        "type": command_line.one_of(QUANTIZATIONS),
        "metavar": "|".join(QUANTIZATIONS),
        "help": "of weights while loading (%(default)s)",
    },
    "kv_dtype": {
        "type": command_line.one_of(KV_DTYPES),
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
}
"""How each field is read; its name and its default are added."""
