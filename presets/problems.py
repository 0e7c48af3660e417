"""What is wrong with the value of a key, before it is known where the key stands."""

from dataclasses import dataclass

WHOLE = object()
"""Value of a `Problem` with the whole text."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a value; `presets.field_errors.FieldError` is the same with path and code."""

    message: str
    """What is wrong with the value, to be read after it: `is not a choice`."""
    hint: str
    """What to do next."""
    at: str = ""
    """Where in the value: `[2].strength`."""
    value: object = WHOLE
    """JSON value found there, `field_errors.ABSENT`, or `WHOLE`."""


class MalformedValue(ValueError):
    """The value is not of its key's form; `problems` holds everything that is wrong."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))
