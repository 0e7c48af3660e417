"""The preset of a model, put together from what its `config.json` says."""

import re
from collections.abc import Mapping

from presets.derive import layers, parameters, weights
from presets.derive.config import NOT_A_MODEL, WRONG_VALUE, Config
from presets.field_errors import FieldError
from presets.field_errors import render as render_errors
from presets.preset import Preset, Serving, Shape, Tuning, Weights

CONTEXT_NAMES = (
    "max_position_embeddings",
    "n_ctx",
    "seq_length",
    "max_seq_len",
    "max_sequence_length",
    "model_max_length",
    "n_positions",
)
"""Where the context length stands, in KAITO's order; `n_positions` (GPT-2) is ours.
Source: KAITO, presets/workspace/generator/generator.go."""

DEFAULT_CONTEXT_TOKENS = 2048
"""Context of a config that names none. Source: KAITO, the same file."""

DTYPE_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}

CPU_PARAMETERS = 5_000_000_000
"""Most parameters that a CPU serves at a bearable pace: each token reads all of them, 10 GB in
bfloat16, which a laptop's memory of 50 GB/s (general knowledge) does 5 times a second, about as
fast as people read. Models of the 4 billion class pass, those of 7 billion do not."""

_FROM_CONFIG = "config.json of the model"
_FROM_SHAPES = "counted from the shapes in config.json"
_FROM_FILES = "sizes of the weight files"


class MalformedConfig(ValueError):
    """A config is not that of a model that can be sized; every problem of it is in `errors`."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(render_errors(errors))
        self.errors = tuple(errors)


def preset(
    raw: object,
    source: str,
    *,
    revision: str = "",
    weight_files: Mapping[str, int] | None = None,
) -> Preset:
    """The preset of a model by its config.

    `raw` is the parsed config.json; `source` the hub id (`org/name`) or an absolute directory;
    `weight_files` the names and bytes of the files beside it, without which the size is estimated
    from the shapes and says so in `sources`.

    Raises:
        MalformedConfig: values are missing or make no sense; all of them are named.
    """
    config = Config(raw)
    _refuse_others(config)
    context = config.number(*CONTEXT_NAMES) or DEFAULT_CONTEXT_TOKENS
    dtype = _dtype(config)
    groups = layers.layers(config, context)
    counted = parameters.count(config, context)
    shape = Shape(
        architecture=_architecture(config),
        hidden_size=config.needed("hidden_size", "n_embd", "d_model"),
        attention_heads=layers.attention_heads(config),
        vocabulary_size=config.needed("vocab_size"),
        intermediate_size=parameters.intermediate_size(config),
        layers=groups,
        tied_head=parameters.is_tied(config),
    )
    quantization = weights.method(config)
    estimated = weights.estimate_bytes(config, counted, DTYPE_BYTES[dtype])
    measured = weights.file_bytes(weight_files or {})
    if config.errors:
        raise MalformedConfig(config.errors)
    return Preset(
        name=name_of(source),
        family=str(config.get("model_type") or ""),
        aliases=() if source.startswith("/") else (source,),
        hub_id="" if source.startswith("/") else source,
        licence="",
        gated=None,
        weights=Weights(source, revision, measured or estimated, counted.total, quantization),
        shape=shape,
        dtype=dtype,
        context_tokens=context,
        serving=_serving(config),
        tuning=Tuning(() if quantization else ("lora", "qlora")),
        cpu=not quantization and counted.total <= CPU_PARAMETERS,
        sources=(
            ("*", _FROM_CONFIG),
            ("parameters", _FROM_SHAPES),
            ("weights", _FROM_FILES if measured else f"estimated: parameters {_FROM_SHAPES}"),
        ),
    )


def name_of(source: str) -> str:
    """A preset's name for a hub id or a directory: its last part, as a label's value may be."""
    last = source.rstrip("/").rsplit("/", 1)[-1].lower()
    return re.sub(r"[^a-z0-9.-]+", "-", last).strip(".-")[:63].strip(".-") or "model"


def _refuse_others(config: Config) -> None:
    if (found := config.get("is_encoder_decoder")) is True:
        message = "is a model with an encoder, which needs another kind of server"
        config.add(config.path("is_encoder_decoder"), found, NOT_A_MODEL, message)
    if config.get("block_configs") is not None:
        message = "gives every layer a shape of its own, which is not counted yet"
        config.add(config.path("block_configs"), "...", NOT_A_MODEL, message)


def _dtype(config: Config) -> str:
    """Type of the weights as stored before quantization; bfloat16 where the config names none."""
    stated = config.get("dtype", "torch_dtype")
    if stated is None or stated == "auto":
        return "bfloat16"
    if not isinstance(stated, str) or stated not in DTYPE_BYTES:
        hint = f"known: {', '.join(DTYPE_BYTES)}"
        name = "dtype" if config.get("dtype") is not None else "torch_dtype"
        config.add(config.path(name), stated, WRONG_VALUE, "is not a type to compute in", hint)
        return "bfloat16"
    return stated


def _architecture(config: Config) -> str:
    words = config.words("architectures")
    return words[1][0] if words and words[1] else ""


def _serving(config: Config) -> Serving:
    """Both model servers are tried; parsers and templates are left to the tokenizer."""
    return Serving(
        runtimes=("vllm", "transformers"),
        trust_remote_code=bool(config.whole.get("auto_map")),
    )
