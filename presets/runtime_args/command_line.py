"""Command lines of the model server's programs: a frozen dataclass written as arguments and read.

A field is one argument, `--key=value`; of a tuple each element is one. What differs from its
default is written; what is unknown, doubled or of the wrong type is refused.
"""

import argparse
import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from typing_extensions import override

Options = Mapping[str, Mapping[str, Any]]
"""By field: what `argparse` is told of it, and under `flag` its argument where the field's name is
another."""

MOST_COUNT = 2**31 - 1
"""Of tokens, sequences and GPUs: what every engine holds them in."""

_DIGITS = re.compile(r"\d{1,10}", re.ASCII)


class MalformedArguments(ValueError):
    """The command line is not one of the model server's; the message names the argument."""


def written(args: Any, options: Options) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a dataclass
    """Field and argument of everything that differs from its default."""
    for field in dataclasses.fields(args):
        value = getattr(args, field.name)
        if value == field.default:
            continue
        flag = _flag(field.name, options)
        if value is True:
            yield field.name, flag
        else:
            for one in value if isinstance(value, tuple) else (value,):
                yield field.name, f"{flag}={one}"


def read(
    of: Any,  # noqa: ANN401 - a dataclass
    verb: str,
    summary: str,
    options: Options,
    argv: Sequence[str],
) -> dict[str, Any]:
    """The values of a command line by field.

    Raises:
        MalformedArguments: unknown verb or key, a missing argument, a key twice, or a value of the
            wrong type.
    """
    parser = _Parser(prog="plainsail-runtime", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    taken = verbs.add_parser(verb, allow_abbrev=False, help=summary)
    for field in dataclasses.fields(of):
        required = field.default is dataclasses.MISSING
        default = None if required else field.default
        settings: dict[str, Any] = {"action": _Once, "required": required, "default": default}
        settings |= {k: v for k, v in options[field.name].items() if k != "flag"}
        taken.add_argument(_flag(field.name, options), dest=field.name, **settings)
    found = parser.parse_args(argv)
    return {field.name: getattr(found, field.name) for field in dataclasses.fields(of)}


def count(least: int, most: int = MOST_COUNT, zero: str = "") -> Callable[[str], int]:
    """Reads a whole number from `least` to `most`; `zero`: what 0 stands for."""
    first = f"{least} ({zero})" if zero else str(least)

    def of(value: str) -> int:
        if not _DIGITS.fullmatch(value) or not least <= int(value) <= most:
            raise argparse.ArgumentTypeError(
                f"{value} is not a whole number from {first} to {most}"
            )
        return int(value)

    return of


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    """Reads one of the names."""

    def of(value: str) -> str:
        if value not in names:
            raise argparse.ArgumentTypeError(f"invalid choice: {value!r}; {', '.join(names)}")
        return value

    return of


def text(value: str) -> str:
    """Reads a text that is not empty."""
    if not value:
        raise argparse.ArgumentTypeError("is empty")
    return value


def _flag(field: str, options: Options) -> str:
    return str(options[field].get("flag", f"--{field.replace('_', '-')}"))


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        raise MalformedArguments(message)


class _Once(argparse.Action):
    """Stores the value; a second one is refused where argparse would take the last."""

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        given: set[str] = namespace.__dict__.setdefault("_given", set())
        if self.dest in given:
            raise argparse.ArgumentError(self, "is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)
