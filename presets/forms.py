"""The forms that values of keys take: how a value is read from its text, and written again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from presets import adapter_list, money, sources, syntax
from presets.problems import MalformedValue, Problem

ON_DEMAND = "on-demand"
SPOT = "spot"
AUTO = "auto"
GATE = "gate"
OFF = "off"
TRANSFORMERS = "transformers"
VLLM = "vllm"
LORA = "lora"
QLORA = "qlora"

_INSTANCE_TYPES_HINT = "for example Standard_NC6s_v3,Standard_NC24ads_A100_v4"
_CAPACITY_TYPES_HINT = f"{ON_DEMAND}, {SPOT} or {SPOT},{ON_DEMAND}"
TRUE = "True"
"""How KAITO spells it."""
_TRUTHS = {TRUE: True, "False": False}


@dataclass(frozen=True)
class Form:
    """One form; `read(write(value)) == value`."""

    type: str
    """In the words of docs/reference/annotations.md."""
    read: Callable[[str], Any]
    """The value of a text; raises MalformedValue with everything that is wrong."""
    write: Callable[[Any], str] = str
    """The text of a value."""


def choice(*names: str) -> Form:
    """One of the names."""
    hint = _either(names)

    def read(text: str) -> str:
        if text not in names:
            raise MalformedValue(Problem("is not a choice", hint))
        return text

    return Form(_either([f"`{name}`" for name in names]), read)


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _read_preset(text: str) -> str:
    """By its syntax: whether there is such a preset is for the catalogue to say."""
    if "/" in text and not syntax.is_hub_id(text):
        hint = "a name of `plainsail presets`, or org/name of a model hub"
        raise MalformedValue(Problem("is not the name of a model", hint))
    return text


def _read_instance_types(text: str) -> tuple[str, ...]:
    def problems() -> Iterator[Problem]:
        yield from _list_problems(text, _INSTANCE_TYPES_HINT)
        if not all(syntax.is_label_value(name) for name in _names(text)):
            yield Problem("holds a name that no node label can hold", _INSTANCE_TYPES_HINT)

    return _checked(text, problems())


def _read_capacity_types(text: str) -> tuple[str, ...]:
    def problems() -> Iterator[Problem]:
        yield from _list_problems(text, _CAPACITY_TYPES_HINT)
        if not set(_names(text)) <= {ON_DEMAND, SPOT}:
            yield Problem("is not a capacity type", _CAPACITY_TYPES_HINT)

    return _checked(text, problems())


def _checked(text: str, problems: Iterator[Problem]) -> tuple[str, ...]:
    if found := tuple(problems):
        raise MalformedValue(*found)
    return _names(text)


def _list_problems(text: str, hint: str) -> Iterator[Problem]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        yield Problem("has an empty entry", hint)
    if len(set(names)) < len(names):
        yield Problem("names an entry twice", "each entry once, the preferred first")


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def _read_amount(text: str) -> int:
    amount = money.microdollars(text)
    if not amount:
        hint = "US dollars with at most six decimals and nothing else, for example 3.673"
        raise MalformedValue(Problem("is not an amount above zero", hint))
    return amount


def _read_container(text: str) -> str:
    if not syntax.is_dns_label(text):
        hint = "at most 63 small letters, digits and dashes"
        raise MalformedValue(Problem("is not a container name", hint))
    return text


def _read_object_name(text: str) -> str:
    if not syntax.is_dns_subdomain(text):
        hint = "at most 253 small letters, digits, dashes and dots"
        raise MalformedValue(Problem("is not the name of an object", hint))
    return text


def _read_service(text: str) -> bool:
    if text != "none":
        hint = "none, or leave the annotation out to get a Service"
        raise MalformedValue(Problem("is not a choice", hint))
    return False


def _read_truth(text: str) -> bool:
    if text not in _TRUTHS:
        hint = "True or False, with a capital, as KAITO reads it"
        raise MalformedValue(Problem("is not a choice", hint))
    return _TRUTHS[text]


PRESET = Form("name", _read_preset)
INSTANCE_TYPES = Form("comma-separated names", _read_instance_types, ",".join)
CAPACITY_TYPES = Form(
    f"`{ON_DEMAND}`, `{SPOT}`, or both, comma-separated", _read_capacity_types, ",".join
)
AMOUNT = Form("US dollars, at most six decimals", _read_amount, money.decimal_text)
PROVISION = choice(AUTO, GATE, OFF)
ADAPTERS = Form("JSON list", adapter_list.read, adapter_list.write)
RUNTIME = choice(AUTO, TRANSFORMERS, VLLM)
WEIGHTS = Form(
    "`hub`, `image`, `image:REF[/path]` or `pvc:NAME[/path]`",
    sources.read_weights,
    sources.write_weights,
)
CONTAINER = Form("container name", _read_container)
SERVICE = Form("`none`", _read_service, lambda _: "none")
TRUTH = Form("`True` or `False`", _read_truth)
TUNING_METHOD = choice(LORA, QLORA)
URLS = Form("URLs, separated by blanks", sources.read_urls, " ".join)
IMAGE = Form("image reference", sources.read_image)
CLAIM = Form("`NAME[/path]`", sources.read_claim, sources.write_claim)
SECRET = Form("name of a Secret", _read_object_name)
CONFIG_MAP = Form("name of a ConfigMap", _read_object_name)
