"""Decisions, kept for when the same is asked again.

A dry run before every apply, `kubectl diff`, and GitOps, which compares each object every few
minutes: all ask about an object that was decided on before. `admit` is a pure function, so that the
answer is the same; finding it costs a tenth of making it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson

from webhook import admit, review
from webhook.terms import Terms

MOST_BYTES = 4 * 2**20
"""Of what is kept, questions and answers together: about five hundred."""

LARGEST_BYTES = 2**16
"""Of one of them; what is larger is decided anew."""

_AROUND_BYTES = 1024
"""Of one of them beside its texts: objects, warnings."""

_BOOKKEEPING = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"}
)
"""Metadata that the API server keeps for itself; admission reads none of it, nor the status."""


@dataclass(frozen=True)
class Told:
    """A decision, ready to be sent, and what logs and metrics say of it."""

    response: dict[str, Any]
    """Of the AdmissionReview, but for the uid."""
    outcome: str
    """`allowed`, `denied` or `skipped`."""
    codes: tuple[str, ...]
    """Reason codes; at least one."""


class Decisions:
    """Decisions on what is asked, under the same terms."""

    def __init__(self, terms: Terms, most_bytes: int = MOST_BYTES) -> None:
        self._terms = terms
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[bytes, Told] = OrderedDict()

    def of(self, asked: review.Review) -> Told:
        """The decision on one review; refusals, which name the object, are always made anew."""
        key = _question(asked.request)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        decision = admit.admit(asked.request, self._terms)
        told = Told(review.response(asked, decision), *_outcome(decision))
        if told.outcome == "allowed":
            self._keep(key, told)
        return told

    def _keep(self, key: bytes, told: Told) -> None:
        if _size(key, told) > LARGEST_BYTES:
            return
        self._kept[key] = told
        self._bytes += _size(key, told)
        while self._bytes > self._most_bytes:
            self._bytes -= _size(*self._kept.popitem(last=False))


def _question(request: admit.AdmissionRequest) -> bytes:
    """What the decision depends on, as text: equal for equal questions."""
    old = request.old_object
    return orjson.dumps((request.operation, _read(request.object), old and _read(old)))


def _read(workload: dict[str, Any]) -> dict[str, Any]:
    """The object without what admission does not read."""
    read = {key: value for key, value in workload.items() if key != "status"}
    meta = workload.get("metadata")
    if isinstance(meta, dict):
        read["metadata"] = {key: meta[key] for key in meta if key not in _BOOKKEEPING}
    return read


def _size(key: bytes, told: Told) -> int:
    return len(key) + len(told.response.get("patch", "")) + _AROUND_BYTES


def _outcome(decision: admit.Decision) -> tuple[str, tuple[str, ...]]:
    if isinstance(decision, admit.Denied):
        return "denied", tuple(sorted({error.reason for error in decision.errors}))
    if isinstance(decision, admit.Skipped):
        return "skipped", (decision.reason,)
    return "allowed", (decision.reason,)
