"""`plainsail diff`: what expansion adds to a manifest, as a unified diff."""

import argparse
import difflib
import shutil
import sys
from collections.abc import Iterator

from cli import expansions, lookup, manifests, render

TROUBLE = 2
"""Exit status where something was refused or cannot be read; 1 says that there is a difference."""

_CONTEXT_LINES = 3
_CUT = "..."

_RED, _GREEN, _CYAN, _BOLD, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[1m", "\x1b[0m"
_COLOURS = (("---", _BOLD), ("+++", _BOLD), ("@@", _CYAN), ("-", _RED), ("+", _GREEN))
"""Start of a line and its colour; the first that matches counts."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its flags."""
    parser = verbs.add_parser(
        "diff",
        allow_abbrev=False,
        help="show what expansion adds to a manifest",
        description="Print what expansion adds to each labelled workload as a unified diff. Both"
        " sides are laid out alike, so that comments and quotes make no difference. The exit"
        " status is 0 without a difference, 1 with one, and 2 where something was refused or"
        " cannot be read. On a terminal lines are coloured, and cut at its width.",
    )
    expansions.add_flags(parser)
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace) -> int:
    """Print the differences; 0 none, 1 some, 2 trouble."""
    try:
        batch = expansions.of(flags)
    except lookup.NotFound as error:
        raise lookup.NotFound(str(error), TROUBLE) from error
    batch.complain()
    if batch.is_refused:
        return TROUBLE
    changed = [change for change in batch.changes if change.is_changed]
    lines = (line for change in changed for line in difference(change))
    if sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
        lines = (on_terminal(line, columns) for line in lines)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if changed else 0


def difference(change: expansions.Change) -> Iterator[str]:
    """The lines of the unified diff of one object."""
    return difflib.unified_diff(
        render.as_yaml(change.original).splitlines(),
        render.as_yaml(change.result).splitlines(),
        f"{change.where} as written",
        f"{manifests.subject(change.result)} expanded",
        n=_CONTEXT_LINES,
        lineterm="",
    )


def on_terminal(line: str, columns: int) -> str:
    """A line coloured by what it is, and cut where the terminal ends."""
    cut = line if len(line) <= columns else f"{line[: columns - len(_CUT)]}{_CUT}"
    colour = next((colour for start, colour in _COLOURS if line.startswith(start)), "")
    return f"{colour}{cut}{_PLAIN}" if colour else cut
