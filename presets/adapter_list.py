"""The adapters that a model is served with, all together: the JSON list of `kaito.sh/adapters`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from presets import syntax
from presets.field_errors import ABSENT
from presets.problems import MalformedValue, Problem

MOST = 10
"""Adapters of one workload, as in KAITO (api/v1alpha1/workspace_validation.go)."""

FULL = Decimal(1)
"""Strength of an adapter that says nothing of it, as in KAITO."""

EXAMPLE = '[{"name":"sql","image":"ghcr.io/org/sql:1","strength":0.5}]'

_FIELDS = ("name", "image", "strength")
_STRENGTH = re.compile(r"0(\.\d{1,6})?|1(\.0{1,6})?", re.ASCII)
_LIST_HINT = f"for example {EXAMPLE}"


@dataclass(frozen=True)
class Adapter:
    """One adapter."""

    name: str
    """DNS label."""
    image: str
    """Reference of the image that holds it under `/data`."""
    strength: Decimal = FULL
    """0 to 1, at most six decimals: the factor on what the adapter adds."""


def read(text: str) -> tuple[Adapter, ...]:
    """The adapters in their order.

    Raises:
        MalformedValue: not a list of adapters; every problem is named.
    """
    found = _list(text)
    problems = [p for index, one in enumerate(found) for p in _problems(f"[{index}]", one)]
    if len(found) > MOST:
        message, hint = f"holds {len(found)} adapters", f"at most {MOST}"
        problems.insert(0, Problem(message, hint))
    if not problems:
        problems.extend(_repeated([one["name"] for one in found]))
    if problems:
        raise MalformedValue(*problems)
    return tuple(
        Adapter(one["name"], one["image"], strength(one.get("strength", 1)) or Decimal(0))
        for one in found
    )


def write(adapters: tuple[Adapter, ...]) -> str:
    """The text that `read` reads: equal adapters give equal text."""
    listed = [
        # A float of at most six decimals has them as its shortest text: nothing is lost.
        {"name": one.name, "image": one.image, "strength": float(one.strength)}
        for one in adapters
    ]
    return json.dumps(listed, separators=(",", ":"))


def strength(raw: object) -> Decimal | None:
    """A strength from a JSON number or its text, exactly; None: not one."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        return None
    text = str(raw)
    return Decimal(text).normalize() if _STRENGTH.fullmatch(text) else None


def _list(text: str) -> list[dict[str, str]]:
    """The JSON list as it stands; its items may be anything."""
    try:
        found = json.loads(
            text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once
        )
        # A lone surrogate is JSON and no text: no answer of ours could carry it.
        json.dumps(found, ensure_ascii=False, default=str).encode()
    except MalformedValue:
        raise
    except (ValueError, RecursionError):
        raise MalformedValue(Problem("is not JSON", _LIST_HINT)) from None
    if not isinstance(found, list):
        raise MalformedValue(Problem("is not a list", _LIST_HINT))
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            message, hint = f"says {json.dumps(name)} twice in one adapter", "each field once"
            raise MalformedValue(Problem(message, hint))
    return dict(pairs)


def _problems(at: str, one: object) -> Iterator[Problem]:
    if not isinstance(one, dict):
        yield Problem("is not an adapter", _LIST_HINT, at, _shown(one))
        return
    for field in sorted(one.keys() - set(_FIELDS)):
        message, hint = "is the value of a field that adapters do not have", ", ".join(_FIELDS)
        yield Problem(message, hint, f"{at}.{field}", _shown(one[field]))
    name, image = one.get("name", ABSENT), one.get("image", ABSENT)
    if not (isinstance(name, str) and syntax.is_dns_label(name)):
        message = _not("the name of an adapter", name)
        hint = "at most 63 small letters, digits and dashes"
        yield Problem(message, hint, f"{at}.name", _shown(name))
    if not (isinstance(image, str) and syntax.is_image(image)):
        message, hint = _not("the reference of an image", image), image_hint(image)
        yield Problem(message, hint, f"{at}.image", _shown(image))
    if "strength" in one and strength(one["strength"]) is None:
        message, hint = "is not a strength from 0 to 1", "0.5, with at most six decimals"
        yield Problem(message, hint, f"{at}.strength", _shown(one["strength"]))


def image_hint(text: object) -> str:
    """What to write instead of an image reference that is none."""
    if isinstance(text, str) and syntax.is_image(text.lower()):
        return "repository names are written in small letters"
    return "registry/repository:tag, for example ghcr.io/org/sql:1"


def _not(what: str, value: object) -> str:
    return f"absent: {what} is required" if value is ABSENT else f"is not {what}"


def _repeated(names: list[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            message, hint = "is the name of another adapter too", "a name of its own for each"
            yield Problem(message, hint, f"[{index}].name", name)


def _shown(value: object) -> object:
    """A number as the user wrote it rather than as text in quotes."""
    return float(value) if isinstance(value, Decimal) else value
