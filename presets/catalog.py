"""The presets, read from the YAML files of the package: its only file read."""

import difflib
from collections.abc import Iterable
from importlib import resources
from typing import Annotated, Literal

import pydantic
import yaml

from presets import gpus, images, preset

_STRICT = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)
_Name = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
_Count = Annotated[int, pydantic.Field(gt=0)]


class MalformedPresets(ValueError):
    """A file of presets does not follow the schema; the message lists every problem of it."""


class _Weights(pydantic.BaseModel):
    model_config = _STRICT
    hub: Annotated[str, pydantic.Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    revision: Annotated[str, pydantic.Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    directory: _Name | None = None
    size_bytes: _Count

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> "_Weights":
        if (self.hub is None) == (self.directory is None):
            raise ValueError("give either hub or directory")
        if (self.hub is None) != (self.revision is None):
            raise ValueError("give revision with hub, and only then")
        return self


class _Preset(pydantic.BaseModel):
    model_config = _STRICT
    name: _Name
    aliases: list[str] = []
    licence: str
    weights: _Weights
    dtype: Literal["bfloat16", "float16", "float32"]
    context_tokens: _Count
    gpus: _Count
    instance_types: Annotated[list[str], pydantic.Field(min_length=1)]

    @pydantic.field_validator("instance_types")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        if unknown := [name for name in names if name not in gpus.INSTANCE_TYPES]:
            raise ValueError(f"unknown instance types: {', '.join(unknown)}")
        return names


class _Family(pydantic.BaseModel):
    model_config = _STRICT
    family: str
    presets: Annotated[list[_Preset], pydantic.Field(min_length=1)]


class Catalog:
    """Presets by name; read-only."""

    def __init__(self, presets: Iterable[preset.Preset]) -> None:
        self._presets = tuple(sorted(presets, key=lambda p: p.name))
        self._by_name: dict[str, preset.Preset] = {}
        for known in self._presets:
            for name in (known.name, *known.aliases):
                other = self._by_name.setdefault(name.lower(), known)
                if other is not known:
                    raise MalformedPresets(f"{name} names both {other.name} and {known.name}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all presets, sorted, without aliases."""
        return tuple(known.name for known in self._presets)

    def find(self, name: str) -> preset.Preset | None:
        """The preset of that name or alias, in whatever case it is written."""
        return self._by_name.get(name.lower())

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """At most `count` preset names that look like `name`, the most alike first."""
        alike = difflib.get_close_matches(name.lower(), self._by_name, n=2 * count, cutoff=0.5)
        return tuple(dict.fromkeys(self._by_name[key].name for key in alike))[:count]


def load() -> Catalog:
    """The catalogue that the package carries.

    Raises:
        MalformedPresets: a file does not follow the schema, or two presets share a name.
    """
    files = sorted(resources.files("presets").joinpath("models").iterdir(), key=lambda f: f.name)
    return Catalog(
        known
        for file in files
        if file.name.endswith(".yaml")
        for known in parse(file.name, file.read_text(encoding="utf-8"))
    )


def parse(file: str, text: str) -> tuple[preset.Preset, ...]:
    """The presets of one family file.

    Raises:
        MalformedPresets: `text` is not YAML or does not follow the schema; every problem is named.
    """
    try:
        family = _Family.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise MalformedPresets(f"{file}: not YAML: {error}") from error
    except pydantic.ValidationError as error:
        problems = (
            f"{file}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        )
        raise MalformedPresets("\n".join(problems)) from error
    return tuple(_preset(raw) for raw in family.presets)


def _preset(raw: _Preset) -> preset.Preset:
    weights = raw.weights
    return preset.Preset(
        name=raw.name,
        aliases=tuple(raw.aliases),
        licence=raw.licence,
        weights=preset.Weights(
            source=weights.hub or f"{images.IMAGE_MODELS}/{weights.directory}",
            revision=weights.revision or "",
            size_bytes=weights.size_bytes,
        ),
        dtype=raw.dtype,
        context_tokens=raw.context_tokens,
        gpus=raw.gpus,
        instance_types=tuple(raw.instance_types),
    )
