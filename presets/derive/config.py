"""A `config.json` read value by value; every mistake is collected, none ends the reading."""

from collections.abc import Mapping, Sequence
from typing import Any

from presets.field_errors import ABSENT, FieldError

MISSING_VALUE = "MissingValue"
WRONG_VALUE = "WrongValue"
NOT_A_MODEL = "NotAModel"

TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config")
"""Where configs of multimodal models keep the language model. Source: transformers 5.19
(`PretrainedConfig.get_text_config`), NVIDIA's and InternVL's own code (`llm_config`)."""

_STAND_IN = 1
"""Value of a number that is missing or wrong, so that reading can go on; it is never returned to
the caller, because there is an error by then."""


class Config:
    """The language model's part of a config and, behind it, the config around it."""

    def __init__(self, raw: object) -> None:
        self._errors: dict[str, FieldError] = {}
        self.whole: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            self.add("", raw, NOT_A_MODEL, "is not a JSON object")
        self.text, self._prefix = _innermost(self.whole)

    @property
    def errors(self) -> list[FieldError]:
        """What is wrong with the values read so far, each path once."""
        return list(self._errors.values())

    def add(self, path: str, value: object, reason: str, message: str, hint: str = "") -> None:
        """Record a mistake; `path` is the one of the whole config."""
        self._errors.setdefault(path, FieldError(path, value, reason, message, hint))

    def get(self, *names: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The first of the names that has a value: in the language model's part, then around it."""
        found = self._find(names)
        return None if found is None else found[1]

    def path(self, name: str) -> str:
        """Where a name stands in the whole config."""
        return name if self.text.get(name) is None and name in self.whole else self._prefix + name

    def number(self, *names: str, least: int = 1) -> int | None:
        """The first of the names as a whole number of at least `least`; None: none is there."""
        found = self._find(names)
        if found is None:
            return None
        name, value = found
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(self.path(name), value, WRONG_VALUE, "is not a whole number")
        elif value < least:
            self.add(self.path(name), value, WRONG_VALUE, f"is less than {least}")
        else:
            return value
        return _STAND_IN

    def needed(self, *names: str, least: int = 1) -> int:
        """Like `number`, but one of the names has to be there."""
        value = self.number(*names, least=least)
        if value is None:
            others = f" (or {', '.join(names[1:])})" if names[1:] else ""
            self.add(self._prefix + names[0], ABSENT, MISSING_VALUE, f"is missing{others}")
            return _STAND_IN
        return value

    def flag(self, name: str) -> bool:
        """Whether a switch is on; absent is off."""
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            self.add(self.path(name), value, WRONG_VALUE, "is neither true nor false")
        return value is True

    def words(self, *names: str) -> tuple[str, Sequence[str]] | None:
        """The first of the names that holds a list of strings, with its name."""
        found = self._find(names)
        if found is None:
            return None
        name, value = found
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return name, value
        self.add(self.path(name), value, WRONG_VALUE, "is not a list of strings")
        return None

    def numbers(self, name: str) -> Sequence[int] | None:
        """A list of whole numbers that are not negative."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, list) and all(type(one) is int and one >= 0 for one in value):
            return value
        self.add(self.path(name), value, WRONG_VALUE, "is not a list of whole numbers")
        return None

    def part(self, name: str) -> Mapping[str, Any]:
        """A nested object; empty when absent."""
        value = self.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.add(self.path(name), value, WRONG_VALUE, "is not an object")
        return value if isinstance(value, Mapping) else {}

    def _find(self, names: Sequence[str]) -> tuple[str, Any] | None:
        for name in names:
            for place in (self.text, self.whole):
                if place.get(name) is not None:
                    return name, place[name]
        return None


def _innermost(raw: Mapping[str, Any], prefix: str = "") -> tuple[Mapping[str, Any], str]:
    for name in TEXT_PARTS:
        part = raw.get(name)
        if isinstance(part, Mapping):
            return _innermost(part, f"{prefix}{name}.")
    return raw, prefix
