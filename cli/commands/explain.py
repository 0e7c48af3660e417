"""`plainsail explain`: what a key or a reason code means."""

import argparse
import sys
from collections.abc import Iterator, Sequence

from cli import figures, lookup, meanings


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its argument."""
    parser = verbs.add_parser(
        "explain",
        allow_abbrev=False,
        help="say what a key or a reason code means",
        description="Say what a label or annotation under kaito.sh/ means, or a reason code of the"
        " webhook, of an event, of the scheduler extender, of `plainsail fit` or of `plainsail"
        " offers`. The prefix may be left out, and case does not matter. Without a name all of"
        " them are listed.",
    )
    parser.add_argument("name", nargs="?", metavar="KEY|REASON", help="all if left out")
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace) -> int:
    """Print the meaning; 0, or 2 for an unknown name."""
    if flags.name is None:
        sys.stdout.write("\n".join(_list()) + "\n")
        return 0
    found = meanings.find(flags.name)
    if not found:
        raise lookup.NotFound(_unknown(flags.name))
    sys.stdout.write("\n".join(text(found)) + "\n")
    return 0


def text(found: Sequence[meanings.Meaning]) -> Iterator[str]:
    """Every meaning of a name, one below the other."""
    for place, meaning in enumerate(found):
        if place:
            yield ""
        yield f"{meaning.name} ({meaning.kind})"
        yield ""
        yield from figures.fields(meaning.fields(), "  ")


def _list() -> Iterator[str]:
    rows = dict.fromkeys((meaning.name, meaning.kind) for meaning in meanings.every())
    yield from figures.columns([("NAME", "WHAT IT IS"), *rows])


def _unknown(name: str) -> str:
    near = " or ".join(f'"{each}"' for each in meanings.nearest(name))
    hint = f"did you mean {near}?" if near else "plainsail explain lists them all"
    return f'error: "{name}" is neither a key nor a reason code\n  hint: {hint}'
