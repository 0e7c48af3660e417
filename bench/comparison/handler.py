"""The handler that one would write first: FastAPI, pydantic models and a JSON diff.

Kept as a competent person would write it: typed models whose unknown fields are ignored, the
object itself as a plain mapping so that nothing of it is lost, an asynchronous route without a
thread, no redirects. The decision is the very function that the webhook uses.
"""

import base64
from typing import Any

import fastapi
import jsonpatch
import pydantic

from presets import catalog
from webhook import admit
from webhook.terms import Terms


class Request(pydantic.BaseModel):
    """AdmissionRequest."""

    uid: str
    operation: str
    object: dict[str, Any] | None = None
    old_object: dict[str, Any] | None = pydantic.Field(default=None, alias="oldObject")


class Response(pydantic.BaseModel):
    """AdmissionResponse."""

    uid: str
    allowed: bool
    patch_type: str | None = pydantic.Field(default=None, serialization_alias="patchType")
    patch: str | None = None
    warnings: list[str] | None = None
    status: dict[str, Any] | None = None


class Review(pydantic.BaseModel):
    """AdmissionReview as it comes."""

    api_version: str = pydantic.Field(alias="apiVersion")
    kind: str
    request: Request


class Answer(pydantic.BaseModel):
    """AdmissionReview as it goes."""

    api_version: str = pydantic.Field(
        default="admission.k8s.io/v1", serialization_alias="apiVersion"
    )
    kind: str = "AdmissionReview"
    response: Response


def application(known: catalog.Catalog) -> fastapi.FastAPI:
    """POST /mutate."""
    app = fastapi.FastAPI(redirect_slashes=False)

    @app.post("/mutate", response_model_exclude_none=True)
    async def mutate(review: Review) -> Answer:
        return Answer(response=_response(review.request, known))

    return app


def _response(asked: Request, known: catalog.Catalog) -> Response:
    before = asked.object or {}
    decision = admit.admit(
        admit.AdmissionRequest(asked.operation, before, asked.old_object), Terms(known)
    )
    if isinstance(decision, admit.Denied):
        message = "\n".join(error.render() for error in decision.errors)
        return Response(uid=asked.uid, allowed=False, status={"code": 422, "message": message})
    if isinstance(decision, admit.Skipped):
        return Response(uid=asked.uid, allowed=True)
    patch = jsonpatch.make_patch(before, decision.workload).to_string()
    return Response(
        uid=asked.uid,
        allowed=True,
        patch_type="JSONPatch",
        patch=base64.b64encode(patch.encode()).decode(),
        warnings=[note.message for note in decision.notes] or None,
    )
