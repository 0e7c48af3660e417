"""What every verb that reads manifests does first: read the files, expand what is labelled."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli import lookup, manifests
from presets import annotations
from webhook import admit, reasons, terms, workloads
from webhook.terms import Terms

STDIN = "-"


@dataclass(frozen=True)
class Change:
    """One object of a document: as it was written, and expanded."""

    where: str
    """`FILE, document 2 (Kind/name)`, for messages."""
    original: dict[str, Any]
    result: dict[str, Any]
    """The very same object where nothing was added."""
    is_ours: bool
    """Labelled, and of a kind that can be expanded."""

    @property
    def is_changed(self) -> bool:
        """Something was added."""
        return self.result is not self.original


@dataclass(frozen=True)
class Expanded:
    """One document after expansion."""

    document: manifests.Document
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Batch:
    """All documents of all files, and what there is to say about them."""

    terms: Terms
    documents: list[Expanded] = field(default_factory=list)
    """Without those that were refused."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings, in the order of the files."""

    @property
    def is_refused(self) -> bool:
        """Something is wrong: nothing is to be printed, so that a pipe applies no half of it."""
        return any(complaint.startswith("error: ") for complaint in self.complaints)

    @property
    def changes(self) -> list[Change]:
        """Every object, in its order."""
        return [change for one in self.documents for change in one.changes]

    def complain(self) -> None:
        """Say it on standard error."""
        for complaint in self.complaints:
            print(complaint, file=sys.stderr)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Files, and what workloads are expanded by."""
    parser.add_argument(
        "-f",
        "--filename",
        action="append",
        required=True,
        metavar="FILE",
        dest="files",
        help="manifest, or - for standard input; may be repeated",
    )
    terms.add_flags(parser)
    lookup.add_flag(parser)


def of(flags: argparse.Namespace, leave: Callable[[dict[str, Any]], bool] | None = None) -> Batch:
    """The manifests of a command line, expanded; an object that `leave` picks stays as it is.

    Raises:
        NotFound: the directory of the user's own presets cannot be used.
    """
    batch = Batch(terms.of(flags, lookup.catalogue(flags.presets)))
    for document in _documents(flags.files, batch.complaints):
        batch.documents.extend(_expanded(document, batch, leave or (lambda _: False)))
    return batch


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
    document: manifests.Document, batch: Batch, leave: Callable[[dict[str, Any]], bool]
) -> Iterator[Expanded]:
    """The document with its objects expanded; nothing where one was refused."""
    changes = []
    for original in document.objects:
        where = f"{document.place} ({manifests.subject(original)})"
        if workloads.kind_of(original) in workloads.KINDS and leave(original):
            changes.append(Change(where, original, original, is_ours=True))
            continue
        request = admit.AdmissionRequest(admit.CREATE, original)
        decision = admit.admit(request, batch.terms)
        batch.complaints.extend(_complaints(where, original, decision))
        if isinstance(decision, admit.Allowed):
            changes.append(Change(where, original, decision.workload, is_ours=True))
        elif isinstance(decision, admit.Skipped):
            changes.append(Change(where, original, original, is_ours=False))
    if len(changes) == len(document.objects):
        yield Expanded(document, tuple(changes))


def _complaints(where: str, original: dict[str, Any], decision: admit.Decision) -> Iterator[str]:
    if isinstance(decision, admit.Denied):
        yield from (f"error: {where}: {error.render()}" for error in decision.errors)
    elif isinstance(decision, admit.Allowed):
        yield from (f"warning: {where}: {note.message}" for note in decision.notes)
    else:
        yield from (f"warning: {where}: {text}" for text in _skipped(original, decision))


_PODS_OF_OTHER_KINDS = frozenset({"CronJob", "DaemonSet", "Pod", "ReplicaSet"})


def _skipped(original: dict[str, Any], decision: admit.Skipped) -> Iterator[str]:
    """Why an object that looks like a labelled workload is left as it is."""
    labels = workloads.part(original, "metadata", "labels")
    if decision.reason == reasons.UNSUPPORTED_KIND and annotations.PRESET in labels:
        kind = original.get("kind")
        if kind in _PODS_OF_OTHER_KINDS:
            sentence = reasons.SKIPPED[decision.reason]
            yield f"{annotations.PRESET} does nothing on a {kind}: {sentence}"


def _error(place: str, message: str, hint: str = "") -> str:
    return f"error: {place}: {message}" + (f"\n  hint: {hint}" if hint else "")
