"""`plainsail VERB`: the command line."""

import argparse
import os
import sys
from collections.abc import Sequence

from cli import lookup
from cli.commands import diff, eject, expand, explain, fit, offers, presets
from presets import images


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 done, 1 refused or failed, 2 wrong usage (by SystemExit)."""
    parser = argparse.ArgumentParser(
        prog="plainsail",
        description="One label turns a workload into a model server.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"plainsail {images.VERSION}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for command in (expand, diff, eject, explain, presets, fit, offers):
        command.register(verbs)
    flags = parser.parse_args(argv)
    try:
        status: int = flags.run(flags)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does: what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except lookup.NotFound as error:
        print(error, file=sys.stderr)
        return error.status
    return status


if __name__ == "__main__":
    sys.exit(main())
