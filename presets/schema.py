"""The form of a file of presets: what it may say, in which units; from its text to `Preset`s.

A file is a family: `family`, `sources` shared by its presets, and `presets`. The form is strict: a
key that is not known, a quantity with a unit or a number in quotes is a mistake, and all mistakes
of a file are told at once.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import pydantic
import yaml

from presets import field_errors, gpus, images, preset
from presets.field_errors import ABSENT, FieldError

MALFORMED_PRESET = "MalformedPreset"
DUPLICATE_NAME = "DuplicateName"

_STRICT = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)
_Name = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
_Hub = Annotated[str, pydantic.Field(pattern=r"^[\w.-]+/[\w.-]+$")]
_Text = Annotated[str, pydantic.Field(min_length=1)]
_Count = Annotated[int, pydantic.Field(gt=0)]
_Size = Annotated[int, pydantic.Field(ge=0)]

_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12} | {
    "": 1,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
"""Factors of the units that people write, so that the hint can name the plain number."""

_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?) ?([A-Za-z]{0,3})")


class MalformedPresets(ValueError):
    """Files of presets do not follow the form; `errors` and the message hold every problem."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(field_errors.render(self.errors))


class _Weights(pydantic.BaseModel):
    model_config = _STRICT
    hub: _Hub | None = None
    revision: Annotated[str, pydantic.Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    directory: _Name | None = None
    size_bytes: _Count
    parameters: _Count | None = None
    quantization: str = ""

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> "_Weights":
        if (self.hub is None) == (self.directory is None):
            raise ValueError("give either hub or directory")
        if self.revision is not None and self.hub is None:
            raise ValueError("give revision with hub only: the image pins a directory")
        return self


class _Layers(pydantic.BaseModel):
    model_config = _STRICT
    count: _Count
    kind: Literal["full", "sliding", "latent", "state"]
    kv_heads: _Size = 0
    head_dim: _Size = 0
    window_tokens: _Size = 0
    latent_dim: _Size = 0
    state_bytes: _Size = 0

    @pydantic.model_validator(mode="after")
    def _fits_kind(self) -> "_Layers":
        needed = _FIGURES_OF_KIND[self.kind]
        if missing := [name for name in needed if not getattr(self, name)]:
            raise ValueError(f"layers of kind {self.kind} need {', '.join(missing)}")
        allowed = {*needed, "state_bytes"}
        if idle := [name for name in _FIGURES if getattr(self, name) and name not in allowed]:
            raise ValueError(f"layers of kind {self.kind} have no {', '.join(idle)}")
        return self


_FIGURES_OF_KIND = {
    preset.FULL: ("kv_heads", "head_dim"),
    preset.SLIDING: ("kv_heads", "head_dim", "window_tokens"),
    preset.LATENT: ("latent_dim",),
    preset.STATE: (),
}
_FIGURES = ("kv_heads", "head_dim", "window_tokens", "latent_dim")


class _Shape(pydantic.BaseModel):
    model_config = _STRICT
    architecture: str
    hidden_size: _Count
    attention_heads: _Size
    vocabulary_size: _Count | None = None
    intermediate_size: _Count | None = None
    tied_head: bool = False
    layers: Annotated[list[_Layers], pydantic.Field(min_length=1)]


class _Serving(pydantic.BaseModel):
    model_config = _STRICT
    runtimes: list[Literal["vllm", "transformers", "torchrun"]] = []
    chat_template: str = ""
    tool_parser: str = ""
    reasoning_parser: str = ""
    trust_remote_code: bool = False
    kv_dtype: Literal["", "fp8", "bfloat16", "float16"] = ""


class _Preset(pydantic.BaseModel):
    model_config = _STRICT
    name: _Name
    aliases: list[_Text] = []
    licence: _Text
    gated: bool | None = None
    weights: _Weights
    shape: _Shape
    dtype: Literal["bfloat16", "float16", "float32"]
    context_tokens: _Count
    serving: _Serving = _Serving()
    tuning: list[Literal["lora", "qlora"]] = []
    cpu: bool = False
    gpus: _Count | None = None
    instance_types: list[str] = []
    sources: dict[str, _Text] = {}
    notes: str = ""

    @pydantic.field_validator("aliases")
    @classmethod
    def _once(cls, names: list[str]) -> list[str]:
        if len({name.lower() for name in names}) < len(names):
            raise ValueError("names an alias twice")
        return names

    @pydantic.field_validator("instance_types")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        if unknown := [name for name in names if name not in gpus.INSTANCE_TYPES]:
            raise ValueError(f"unknown instance types: {', '.join(unknown)}")
        return names


class _Family(pydantic.BaseModel):
    model_config = _STRICT
    family: _Text
    sources: dict[str, _Text] = {}
    presets: Annotated[list[_Preset], pydantic.Field(min_length=1)]


def parse(file: str, text: str) -> tuple[preset.Preset, ...]:
    """The presets of one family file.

    Raises:
        MalformedPresets: `text` is not YAML or not of the form; every problem is named.
    """
    try:
        family = _Family.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        told = FieldError(file, ABSENT, MALFORMED_PRESET, f"not YAML: {reason}")
        raise MalformedPresets([told]) from error
    except pydantic.ValidationError as error:
        told_all = [_told(file, one) for one in error.errors(include_url=False)]
        raise MalformedPresets(told_all) from error
    return tuple(_preset(family, raw) for raw in family.presets)


def parse_all(files: Mapping[str, str]) -> tuple[preset.Preset, ...]:
    """The presets of several files, by their names and texts: a directory, or a ConfigMap's `data`.

    Raises:
        MalformedPresets: some are not of the form, or share a name; every problem is named.
    """
    found: list[preset.Preset] = []
    errors: list[FieldError] = []
    places: dict[str, str] = {}
    for file in sorted(files):
        try:
            presets = parse(file, files[file])
        except MalformedPresets as error:
            errors += error.errors
            continue
        found += presets
        for index, one in enumerate(presets):
            errors += _taken(places, f"{file}: presets[{index}]", one)
    if errors:
        raise MalformedPresets(errors)
    return tuple(found)


def _taken(places: dict[str, str], place: str, one: preset.Preset) -> list[FieldError]:
    """Names of a preset that an earlier one has; the others are noted in `places`."""
    names = {name.lower(): name for name in (one.name, *one.aliases)}
    first = {lower: places.setdefault(lower, place) for lower in names}
    return [
        FieldError(place, names[lower], DUPLICATE_NAME, f"names {other} as well")
        for lower, other in first.items()
        if other != place
    ]


def _told(file: str, found: Mapping[str, Any]) -> FieldError:
    value = ABSENT if found["type"] == "missing" else found["input"]
    if isinstance(value, dict):
        value = ABSENT  # the message says it; the whole object would only hide it
    message = found["msg"].removeprefix("Value error, ")
    path = f"{file}: {_path(found['loc'])}".rstrip(": ")
    return FieldError(path, value, MALFORMED_PRESET, _read(message), _hint(found))


def _path(place: Iterable[str | int]) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _read(message: str) -> str:
    """Pydantic's message as the end of a sentence about the value."""
    for start, said in _SAID.items():
        if message.startswith(start):
            return said + message.removeprefix(start)
    return message


_SAID = {
    "Input should be ": "should be ",
    "Field required": "is missing",
    "Extra inputs are not permitted": "is the value of a key that does not exist",
    "String should ": "should ",
    "List should ": "should ",
}


def _hint(found: Mapping[str, Any]) -> str:
    if found["type"] == "extra_forbidden":
        return "look for a typing mistake; docs/reference/presets.md lists the keys"
    value = found["input"]
    if found["type"] != "int_type" or not isinstance(value, str):
        return ""
    match = _QUANTITY.fullmatch(value)
    unit = match[2].lower().removesuffix("b") if match else "?"
    if match is None or unit not in _UNITS:
        return "write a whole number without a unit"
    plain = round(float(match[1]) * _UNITS[unit])
    return f"write a whole number without a unit: {plain}"


def _preset(family: _Family, raw: _Preset) -> preset.Preset:
    weights, shape = raw.weights, raw.shape
    hub = weights.hub or ""
    return preset.Preset(
        name=raw.name,
        family=family.family,
        aliases=tuple(dict.fromkeys([*([hub] if hub else []), *raw.aliases])),
        hub_id=hub,
        licence=raw.licence,
        gated=raw.gated,
        weights=preset.Weights(
            source=hub or f"{images.IMAGE_MODELS}/{weights.directory}",
            revision=weights.revision or "",
            size_bytes=weights.size_bytes,
            parameters=weights.parameters,
            quantization=weights.quantization,
        ),
        shape=preset.Shape(
            architecture=shape.architecture,
            hidden_size=shape.hidden_size,
            attention_heads=shape.attention_heads,
            vocabulary_size=shape.vocabulary_size,
            intermediate_size=shape.intermediate_size,
            layers=tuple(_layers(group) for group in shape.layers),
            tied_head=shape.tied_head,
        ),
        dtype=raw.dtype,
        context_tokens=raw.context_tokens,
        serving=_serving(raw.serving),
        tuning=preset.Tuning(tuple(raw.tuning)),
        cpu=raw.cpu,
        gpus=raw.gpus,
        instance_types=tuple(raw.instance_types),
        sources=tuple({**family.sources, **raw.sources}.items()),
        notes=raw.notes,
    )


def _layers(raw: _Layers) -> preset.LayerGroup:
    return preset.LayerGroup(
        count=raw.count,
        kind=raw.kind,
        kv_heads=raw.kv_heads,
        head_dim=raw.head_dim,
        window_tokens=raw.window_tokens,
        latent_dim=raw.latent_dim,
        state_bytes=raw.state_bytes,
    )


def _serving(raw: _Serving) -> preset.Serving:
    return preset.Serving(
        runtimes=tuple(raw.runtimes),
        chat_template=raw.chat_template,
        tool_parser=raw.tool_parser,
        reasoning_parser=raw.reasoning_parser,
        trust_remote_code=raw.trust_remote_code,
        kv_dtype=raw.kv_dtype,
    )
