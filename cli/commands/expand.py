"""`plainsail expand`: what the webhook would make of a manifest, offline, by the same function."""

import argparse
import sys
from collections.abc import Iterator

from cli import comments, costs, expansions, explanations, manifests, render, sentences


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its flags."""
    parser = verbs.add_parser(
        "expand",
        allow_abbrev=False,
        help="show what a labelled workload becomes",
        description="Print manifests with every labelled workload expanded, as the webhook would"
        " store it. Needs no cluster; other documents pass through byte for byte. Refusals,"
        " warnings, and what a pod costs and needs go to standard error; after a refusal nothing"
        " is printed.",
    )
    expansions.add_flags(parser)
    render.add_flag(parser, "yaml")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="say why each field was added: as comments, with -o json on standard error",
    )
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace) -> int:
    """Print the expanded manifests; 0, or 1 where anything was refused."""
    batch = expansions.of(flags)
    batch.complain()
    if batch.is_refused:
        return 1
    for line in _costs(batch):
        print(line, file=sys.stderr)
    if flags.output == "json":
        for line in _whys(batch) if flags.explain else ():
            print(line, file=sys.stderr)
        sys.stdout.write(render.as_json(change.result for change in batch.changes))
    else:
        sys.stdout.write(manifests.joined(_texts(batch, explain=flags.explain)))
    return 0


def _costs(batch: expansions.Batch) -> Iterator[str]:
    for change in batch.changes:
        if change.is_ours and (line := costs.line(change.result, batch.terms)):
            yield f"cost: {manifests.subject(change.result)}: {line}"


def _whys(batch: expansions.Batch) -> Iterator[str]:
    for change in batch.changes:
        for path, sentence in explanations.of(change.result, batch.terms):
            yield f"why: {change.where}: {explanations.shown(path)}: {sentence}"


def _texts(
    batch: expansions.Batch, *, explain: bool
) -> Iterator[tuple[manifests.Document, str | None]]:
    for one in batch.documents:
        whys = _explained(one, batch) if explain else {}
        if not whys and not any(change.is_changed for change in one.changes):
            yield one.document, None
            continue
        text = render.document(one.document, [change.result for change in one.changes])
        yield one.document, comments.above(text, whys) if whys else text


def _explained(one: expansions.Expanded, batch: expansions.Batch) -> dict[sentences.Path, str]:
    """Why each field was added, by its path in the document."""
    found = {}
    for place, change in enumerate(one.changes):
        root = () if one.document.container is None else ("items", str(place))
        for path, sentence in explanations.of(change.result, batch.terms):
            found[(*root, *path)] = sentence
    return found
