"""What this program asks of the Kubernetes API: calls, and errors by kind."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object as it came: unknown fields survive."""


class ApiError(Exception):
    """The API server did not do what was asked."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else f"{reason}: {message}")
        self.status = status
        """HTTP status; 0 when there was no answer."""
        self.reason = reason
        self.message = message


class Unavailable(ApiError):
    """No answer, or 429 or 5xx: the same call may succeed later."""


class Forbidden(ApiError):
    """401 or 403: this program lacks a right."""


class NotFound(ApiError):
    """404: no such object, or no such kind (its CRD is not installed)."""


class Conflict(ApiError):
    """409: the name is taken, or a precondition does not hold."""


class Gone(ApiError):
    """410: the resource version is too old to continue from; list again."""


class Rejected(ApiError):
    """400 or 422 and the like: the same call can never succeed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    429: Unavailable,
}


def error(status: int, body: Mapping[str, Any]) -> ApiError:
    """The typed error of an HTTP status and the `Status` object that came with it."""
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else Rejected)  # noqa: PLR2004 - HTTP's server errors begin at 500
    return kind(status, str(body.get("reason", kind.__name__)), str(body.get("message", "")))


class Api(Protocol):
    """The calls; every one raises `ApiError`."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        """The object or list at `path`."""
        ...

    def watch(self, path: str, query: Mapping[str, str]) -> Iterator[Object]:
        """Watch events of the list at `path` until the server ends the stream."""
        ...

    def create(self, path: str, body: Object) -> Object:
        """The object as created in the list at `path`."""
        ...

    def apply(self, path: str, body: Object, *, manager: str, force: bool) -> Object:
        """The object at `path` after server-side apply."""
        ...

    def patch(self, path: str, body: Object) -> Object:
        """The object at `path` after a JSON merge patch (RFC 7386).

        `metadata.uid` and `metadata.resourceVersion` in it are preconditions: `Conflict` when the
        object has others.
        """
        ...

    def delete(self, path: str, preconditions: Mapping[str, str]) -> None:
        """Delete the object at `path` if it still has this uid (and resourceVersion)."""
        ...
