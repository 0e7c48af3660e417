"""What is wrong with one field of a user's object: path, value, reason code, sentence, hint."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

ABSENT = object()
"""Value of a `FieldError` whose field is missing, so that no value is shown."""

_LONGEST_VALUE = 120
"""Characters of a value that a message shows: enough to recognise it, never a whole body."""


@dataclass(frozen=True)
class FieldError:
    """One mistake; all mistakes of an object are reported together."""

    path: str
    """Where, as the API server writes paths: `metadata.labels[kaito.sh/preset]`."""
    value: object
    """JSON value found there, or `ABSENT`."""
    reason: str
    """Stable CamelCase code, listed in docs/reference/reasons.md."""
    message: str
    """What is wrong with the value, to be read after it: `is not a preset`."""
    hint: str = ""
    """What to do next."""

    @property
    def sentence(self) -> str:
        """Value and message, without path, reason and hint."""
        return self.message if self.value is ABSENT else f"{_shown(self.value)} {self.message}"

    @property
    def explanation(self) -> str:
        """The sentence with its reason; the hint on a line of its own."""
        line = f"{self.sentence} ({self.reason})"
        return f"{line}\n  hint: {self.hint}" if self.hint else line

    def render(self) -> str:
        """The explanation behind its path."""
        return f"{self.path}: {self.explanation}"


def render(errors: Iterable[FieldError]) -> str:
    """All errors, one after the other, in the order of their paths."""
    return "\n".join(error.render() for error in sorted(errors, key=lambda e: (e.path, e.reason)))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= _LONGEST_VALUE:
        return text
    return f"{text[:_LONGEST_VALUE]}... ({len(text)} characters)"
