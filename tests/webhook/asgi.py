"""Call the application in process, as a server would."""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

from webhook import app


@dataclass(frozen=True)
class Answer:
    """Status and body."""

    status: int
    body: bytes
    headers: dict[bytes, bytes]


def call(
    served: app.App,
    method: str,
    path: str,
    *chunks: bytes,
    headers: dict[bytes, bytes] | None = None,
) -> Answer:
    """The answer to one request whose body comes in `chunks`."""
    return asyncio.run(_call(served, method, path, chunks, headers or {}))


async def _call(
    served: app.App, method: str, path: str, chunks: tuple[bytes, ...], headers: dict[bytes, bytes]
) -> Answer:
    parts = list(chunks) or [b""]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": list(headers.items())}
    await served(scope, receive, send)
    start, body = sent
    return Answer(start["status"], body["body"], dict(start["headers"]))


def review(workload: object, old: object = None, operation: str = "") -> bytes:
    """An AdmissionReview as the API server sends it, unknown fields and all."""
    kind = workload.get("kind") if isinstance(workload, dict) else None
    return orjson.dumps(
        {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
                "kind": {"group": "apps", "version": "v1", "kind": kind},
                "namespace": "default",
                "name": "chat",
                "operation": operation or ("CREATE" if old is None else "UPDATE"),
                "userInfo": {"username": "someone", "extra": {"new-in-a-later-version": ["1"]}},
                "object": workload,
                "oldObject": old,
                "dryRun": False,
                "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            },
        }
    )


def mutate(served: app.App, workload: object, old: object = None) -> dict[str, Any]:
    """The `response` of the review that answers a workload."""
    answer = call(served, "POST", "/mutate", review(workload, old))
    assert answer.status == 200, answer.body
    response: dict[str, Any] = orjson.loads(answer.body)["response"]
    assert response["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    return response
