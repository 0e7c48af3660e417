"""Refusing a request: one exception, rendered by the surface that it was made on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a request."""

    path: str
    """Dotted path of the field; empty for the body as a whole."""
    message: str


class Refused(Exception):
    """The request gets an error answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_seconds: int | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self.problems = tuple(problems)

    @property
    def headers(self) -> dict[str, str]:
        """Response headers: `Retry-After` where waiting helps."""
        seconds = self.retry_after_seconds
        return {} if seconds is None else {"retry-after": str(seconds)}


def invalid(problems: Sequence[Problem]) -> Refused:
    """The refusal that names every problem at once."""
    text = "; ".join(f"{p.path}: {p.message}" if p.path else p.message for p in problems)
    return Refused(
        400, text, code="invalid_value", param=problems[0].path or None, problems=problems
    )


def of_validation(error: pydantic.ValidationError) -> list[Problem]:
    """What pydantic found, without the values: they may be a prompt."""
    return [
        Problem(".".join(str(part) for part in detail["loc"]), detail["msg"])
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def unsupported(
    raw: Mapping[str, Any], known: Iterable[str], neutral: Mapping[str, Sequence[object]]
) -> list[Problem]:
    """A problem for each field of `raw` that is neither `known` nor asks for nothing.

    `neutral` holds the fields that we do not support with the values that ask for nothing: a
    client that spells out its defaults is served, one that means something by them is told.
    """
    problems = []
    for field in sorted(set(raw) - set(known)):
        if field not in neutral:
            problems.append(Problem(field, "is not a field of this request"))
        elif raw[field] is not None and not any(_same(raw[field], v) for v in neutral[field]):
            values = " or ".join(repr(v) for v in neutral[field])
            problems.append(Problem(field, f"is not supported, except as {values or 'null'}"))
    return problems


def _same(value: object, neutral: object) -> bool:
    """Equality that tells `true` from 1."""
    return isinstance(value, bool) == isinstance(neutral, bool) and value == neutral
