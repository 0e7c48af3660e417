"""AdmissionReview v1 on the wire: bytes to a request, a decision to bytes."""

import base64
from dataclasses import dataclass
from typing import Any

import orjson

from presets import field_errors
from webhook import admit

API_VERSION = "admission.k8s.io/v1"

DEEPEST = 128
"""Levels of nesting that a body may have; a Deployment has about 20.

Everything that walks an object recurses once per level, well within Python's limit of 1,000.
"""


MOST_PARTS = 500_000
"""Objects and lists in a body; two of the API server's largest (3 MiB) hold fewer.

What walks an object pays for each of them: with so many it stays well below a second.
"""

_LONGEST_NAME = 253
"""Characters of a name: a DNS subdomain (RFC 1123), the longest that Kubernetes has."""


class MalformedReview(ValueError):
    """The body is not an AdmissionReview; the message says why and shows nothing of the body."""


@dataclass(frozen=True)
class Review:
    """One parsed AdmissionReview."""

    uid: str
    request: admit.AdmissionRequest
    kind: str
    namespace: str
    name: str

    @property
    def subject(self) -> str:
        """`Kind/namespace/name` for logs; each no longer than Kubernetes lets it be."""
        longest = _LONGEST_NAME
        return f"{self.kind[:longest]}/{self.namespace[:longest]}/{self.name[:longest]}"


def read(body: bytes) -> Review:
    """The review that a body holds.

    Raises:
        MalformedReview: not JSON, nested too deep, or not an AdmissionReview v1 with a request.
    """
    parts = body.count(b"{") + body.count(b"[")
    if parts > MOST_PARTS:
        raise MalformedReview(f"the body holds more than {MOST_PARTS} objects and lists")
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedReview(f"the body is not JSON: {error.msg} at {error.pos}") from error
    if parts > DEEPEST and _is_too_deep(raw):
        raise MalformedReview(f"the body is nested deeper than {DEEPEST} levels")
    if not isinstance(raw, dict) or raw.get("apiVersion") != API_VERSION:
        raise MalformedReview(f"the body is not an AdmissionReview of {API_VERSION}")
    request = raw.get("request")
    if not isinstance(request, dict) or not isinstance(request.get("uid"), str):
        raise MalformedReview("the review holds no request with a uid")
    return _review(request)


def _review(request: dict[str, Any]) -> Review:
    new, old = request.get("object"), request.get("oldObject")
    for name, value in (("object", new), ("oldObject", old)):
        if value is not None and not isinstance(value, dict):
            raise MalformedReview(f"request.{name} is not an object")
    kind = request.get("kind")
    return Review(
        uid=request["uid"],
        request=admit.AdmissionRequest(str(request.get("operation")), new or {}, old),
        kind=str(kind.get("kind", "")) if isinstance(kind, dict) else "",
        namespace=str(request.get("namespace") or ""),
        name=str(request.get("name") or ""),
    )


def answer(uid: str, response: dict[str, Any]) -> bytes:
    """The AdmissionReview that carries a response to the request of that uid."""
    return orjson.dumps(
        {
            "apiVersion": API_VERSION,
            "kind": "AdmissionReview",
            "response": {"uid": uid, **response},
        }
    )


def response(asked: Review, decision: admit.Decision) -> dict[str, Any]:
    """A decision on the wire, but for the uid; of the request only a refusal says more."""
    response: dict[str, Any] = {"allowed": not isinstance(decision, admit.Denied)}
    if isinstance(decision, admit.Denied):
        response["status"] = _status(asked, decision)
    elif isinstance(decision, admit.Allowed):
        if decision.patch:
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(orjson.dumps(decision.patch)).decode()
        if decision.notes:
            response["warnings"] = [note.message for note in decision.notes]
    return response


def _status(asked: Review, decision: admit.Denied) -> dict[str, Any]:
    """What the client sees: 422 Invalid with every error, as text and as causes.

    Of an Invalid with causes kubectl prints these alone, under kind and name, as for its own
    refusals: so each cause carries the whole sentence, reason and hint included.
    """
    causes = [
        {
            "reason": error.reason,
            "field": error.path,
            "message": error.render().removeprefix(f"{error.path}: "),
        }
        for error in decision.errors
    ]
    return {
        "code": 422,
        "reason": "Invalid",
        "message": field_errors.render(decision.errors),
        "details": {"kind": asked.kind, "name": asked.name, "causes": causes},
    }


def _is_too_deep(raw: object) -> bool:
    """Nested beyond `DEEPEST`; not asked of a body with so few brackets that it cannot be."""
    level = [raw]
    for _ in range(DEEPEST):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)  # type: ignore[attr-defined]  # containers alone are kept
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True
