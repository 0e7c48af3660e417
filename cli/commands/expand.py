"""`plainsail expand`: what the webhook would make of a manifest, offline, by the same function."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import lookup, manifests, render
from presets import annotations, gpus
from webhook import admit, machines, reasons, workloads

STDIN = "-"


@dataclass(frozen=True)
class Expanded:
    """One document after expansion."""

    document: manifests.Document
    objects: tuple[dict[str, Any], ...]


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its flags."""
    parser = verbs.add_parser(
        "expand",
        allow_abbrev=False,
        help="show what a labelled workload becomes",
        description="Print manifests with every labelled workload expanded, as the webhook would"
        " store it. Needs no cluster; other objects pass through unchanged. Refusals and warnings"
        " go to standard error; after a refusal nothing is printed.",
    )
    parser.add_argument(
        "-f",
        "--filename",
        action="append",
        required=True,
        metavar="FILE",
        dest="files",
        help="manifest, or - for standard input; may be repeated",
    )
    parser.add_argument(
        "-o", "--output", choices=["yaml", "json"], default="yaml", help="%(default)s by default"
    )
    parser.add_argument(
        "--cloud",
        choices=gpus.CLOUDS,
        default=machines.CLOUD,
        help="whose machines are taken where a workload names none; %(default)s by default",
    )
    lookup.add_flag(parser)
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace) -> int:
    """Print the expanded manifests; 0, or 1 where anything was refused."""
    complaints: list[str] = []
    try:
        terms = admit.Terms(lookup.catalogue(flags.presets), flags.cloud)
    except lookup.NotFound as error:
        print(error, file=sys.stderr)
        return error.status
    expanded = [
        one
        for document in _documents(flags.files, complaints)
        for one in _expanded(document, terms, complaints)
    ]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if any(complaint.startswith("error: ") for complaint in complaints):
        return 1
    sys.stdout.write(_output(expanded, flags.output))
    return 0


def _documents(files: Sequence[str], complaints: list[str]) -> Iterator[manifests.Document]:
    for file in files:
        try:
            yield from manifests.read("stdin" if file == STDIN else file, _text(file))
        except OSError as error:
            complaints.append(_error(file, error.strerror or str(error), "check the path"))
        except UnicodeDecodeError as error:
            complaints.append(_error(file, f"not UTF-8 at byte {error.start}"))
        except manifests.MalformedManifest as error:
            complaints.append(_error(error.place, str(error), error.hint))


def _text(file: str) -> str:
    raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    return raw.decode("utf-8-sig")


def _expanded(
    document: manifests.Document, terms: admit.Terms, complaints: list[str]
) -> Iterator[Expanded]:
    """The document with its objects expanded; nothing where one was refused."""
    objects = []
    for original in document.objects:
        where = f"{document.place} ({manifests.subject(original)})"
        request = admit.AdmissionRequest(admit.CREATE, original)
        decision = admit.admit(request, terms.presets, terms.cloud)
        if isinstance(decision, admit.Denied):
            complaints += (f"error: {where}: {error.render()}" for error in decision.errors)
        elif isinstance(decision, admit.Allowed):
            complaints += (f"warning: {where}: {note.message}" for note in decision.notes)
            objects.append(decision.workload)
        else:
            complaints += (f"warning: {where}: {text}" for text in _skipped(original, decision))
            objects.append(original)
    if len(objects) == len(document.objects):
        yield Expanded(document, tuple(objects))


_PODS_OF_OTHER_KINDS = frozenset({"CronJob", "DaemonSet", "Pod", "ReplicaSet"})


def _skipped(original: dict[str, Any], decision: admit.Skipped) -> Iterator[str]:
    """Why an object that looks like a labelled workload is left as it is."""
    labels = workloads.part(original, "metadata", "labels")
    if decision.reason == reasons.UNSUPPORTED_KIND and annotations.PRESET in labels:
        kind = original.get("kind")
        if kind in _PODS_OF_OTHER_KINDS:
            sentence = reasons.SKIPPED[decision.reason]
            yield f"{annotations.PRESET} does nothing on a {kind}: {sentence}"


def _output(expanded: Sequence[Expanded], form: str) -> str:
    if form == "json":
        return render.as_json(one for each in expanded for one in each.objects)
    return "---\n".join(_yaml(one) for one in expanded)


def _yaml(one: Expanded) -> str:
    """The document's own text where nothing changed, comments and all."""
    document = one.document
    if all(new is old for new, old in zip(one.objects, document.objects, strict=True)):
        return document.text.strip("\n") + "\n"
    if document.container is None:
        return render.as_yaml(one.objects[0])
    return render.as_yaml({**document.container, "items": list(one.objects)})


def _error(place: str, message: str, hint: str = "") -> str:
    return f"error: {place}: {message}" + (f"\n  hint: {hint}" if hint else "")
