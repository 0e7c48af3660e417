"""`plainsail eject`: the same pods as plain YAML that never needs Plainsail again."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from cli import ejection, expansions, manifests, render

Ejected = tuple[expansions.Expanded, list[dict[str, Any]]]
"""A document and what becomes of its objects: the same ones, Services more or less."""

_Key = tuple[str, str]
"""Namespace and name."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its flags."""
    parser = verbs.add_parser(
        "eject",
        allow_abbrev=False,
        help="turn a labelled workload into plain YAML",
        description="Print labelled workloads expanded and without label, annotations and record:"
        " plain YAML that runs the same pods and that Plainsail leaves alone, each behind the"
        " Service that it would have made. Takes manifests, and objects read back from a cluster"
        " (kubectl get -o yaml). Other documents pass through byte for byte; after a refusal"
        " nothing is printed.",
    )
    expansions.add_flags(parser)
    render.add_flag(parser, "yaml")
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace) -> int:
    """Print plain manifests; 0, or 1 where anything was refused."""
    batch = expansions.of(flags, leave=ejection.is_complete)
    done = _ejected(batch)
    batch.complain()
    if batch.is_refused:
        return 1
    if flags.output == "json":
        sys.stdout.write(render.as_json(one for _, objects in done for one in objects))
    else:
        sys.stdout.write(manifests.joined(_texts(done)))
    return 0


def _ejected(batch: expansions.Batch) -> list[Ejected]:
    """Every document with its objects ejected, and each Service right before its workload.

    Before it, for once a stored workload is plain, the controller deletes the Service that it made,
    unless that is nobody's by then.
    """
    made = _services(batch)
    replaced = frozenset(made)
    done = []
    for one in batch.documents:
        objects: list[dict[str, Any]] = []
        for change in one.changes:
            key = _key(change.original)
            if change.is_ours:
                objects += [made.pop(key)] if key in made else []
                objects.append(_plain(change, batch.complaints))
            elif not (ejection.is_controllers(change.original) and key in replaced):
                objects.append(change.original)
        done.append((one, objects))
    return done


def _services(batch: expansions.Batch) -> dict[_Key, dict[str, Any]]:
    """The Services of the workloads, but for those that somebody else has made."""
    others = {
        _key(change.original)
        for change in batch.changes
        if change.original.get("kind") == "Service" and not ejection.is_controllers(change.original)
    }
    wanted = (ejection.service(change.result) for change in batch.changes if change.is_ours)
    return {_key(made): made for made in wanted if made is not None and _key(made) not in others}


def _plain(change: expansions.Change, complaints: list[str]) -> dict[str, Any]:
    """The workload ejected; itself where it cannot be, which is then an error."""
    try:
        plain = ejection.ejected(change.result)
    except ejection.SelectorNeedsOurKeys as error:
        hint = "make a workload with a selector of its own: that of a stored one cannot change"
        complaints.append(f"error: {change.where}: spec.selector asks for {error}\n  hint: {hint}")
        return change.original
    complaints.extend(
        f"warning: {change.where}: {path} names a key that nothing sets any more"
        for path in ejection.mentions(plain)
    )
    return plain


def _key(of: dict[str, Any]) -> _Key:
    meta = of.get("metadata")
    found = meta if isinstance(meta, dict) else {}
    return str(found.get("namespace") or ""), str(found.get("name") or "")


def _texts(done: list[Ejected]) -> Iterator[tuple[manifests.Document, str | None]]:
    for one, objects in done:
        if objects == [change.original for change in one.changes]:
            yield one.document, None
        elif one.document.container is not None:
            yield one.document, render.document(one.document, objects)
        else:
            for made in objects[:-1]:
                document = manifests.Document(one.document.place, "", (made,), None)
                yield document, render.as_yaml(made)
            for rest in objects[-1:]:  # none where it was the controller's Service
                yield one.document, render.as_yaml(rest)
