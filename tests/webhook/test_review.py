import base64

import orjson
import pytest

from presets.field_errors import FieldError
from tests import builders
from tests.webhook import asgi
from webhook import admit, reasons, review


def test_a_review_is_read() -> None:
    new, old = builders.deployment().build(), builders.job().build()
    found = review.read(asgi.review(new, old))
    assert found.request == admit.AdmissionRequest("UPDATE", new, old)
    assert found.subject == "Deployment/default/chat"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b'{"a":', "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b"[]", "AdmissionReview"),
        (b'{"apiVersion": "admission.k8s.io/v1beta1"}', "AdmissionReview"),
        (b'{"apiVersion": "admission.k8s.io/v1"}', "no request"),
        (b'{"apiVersion": "admission.k8s.io/v1", "request": {}}', "no request"),
        (
            b'{"apiVersion": "admission.k8s.io/v1", "request": {"uid": "1", "object": []}}',
            "request.object",
        ),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "deeper than 128"),
    ],
)
def test_what_is_no_review_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(review.MalformedReview, match=says):
        review.read(body)


def test_a_message_shows_nothing_of_the_body() -> None:
    with pytest.raises(review.MalformedReview) as caught:
        review.read(b'{"secret": "hunter2"')
    assert "hunter2" not in str(caught.value)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    workload = builders.deployment().annotation("a", "[{" * 500).spec(x=[{}] * 500).build()
    assert review.read(asgi.review(workload)).request.object == workload


def answer(decision: admit.Decision) -> dict[str, object]:
    asked = review.Review("u", admit.AdmissionRequest(admit.CREATE, {}), "Job", "default", "chat")
    raw = orjson.loads(review.answer("u", review.response(asked, decision)))
    assert (raw["apiVersion"], raw["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, object] = raw["response"]
    return response


def test_a_skip_carries_neither_patch_nor_warning() -> None:
    assert answer(admit.Skipped(reasons.NOT_LABELLED)) == {"uid": "u", "allowed": True}


def test_an_expansion_carries_patch_and_warnings() -> None:
    operations = [{"op": "add", "path": "/a", "value": 1}]
    response = answer(admit.Allowed({}, operations, (reasons.Note("R", "m"),)))
    patch = response.pop("patch")
    assert isinstance(patch, str)
    assert orjson.loads(base64.b64decode(patch)) == operations
    assert response == {"uid": "u", "allowed": True, "patchType": "JSONPatch", "warnings": ["m"]}


def test_a_denial_carries_every_error_as_text_and_as_causes() -> None:
    errors = (FieldError("a", 1, "R", "is wrong", "mend it"), FieldError("b", 2, "S", "is not it"))
    assert answer(admit.Denied(errors)) == {
        "uid": "u",
        "allowed": False,
        "status": {
            "code": 422,
            "reason": "Invalid",
            "message": "a: 1 is wrong (R)\n  hint: mend it\nb: 2 is not it (S)",
            "details": {
                "kind": "Job",
                "name": "chat",
                "causes": [
                    {"reason": "R", "field": "a", "message": "1 is wrong (R)\n  hint: mend it"},
                    {"reason": "S", "field": "b", "message": "2 is not it (S)"},
                ],
            },
        },
    }
