"""The API server as the local cluster's own programs see it: raw objects over HTTPS."""

import base64
import json
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx

Object = dict[str, Any]

FIELD_MANAGER = "plainsail-local"


class Conflict(Exception):
    """The object exists already, or was changed since it was read."""


class NotFound(Exception):
    """No such object."""


class Refused(Exception):
    """The API server said no; the message is its own."""


class Gone(Exception):
    """The watch cannot go on from its resource version: list again."""


def credentials(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """The API server's URL, and what its only user shows and trusts; of a kubeconfig of ours."""
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile() as pair:  # the ssl module takes a pair from files only
        pair.write(base64.b64decode(user["client-certificate-data"]))
        pair.write(base64.b64decode(user["client-key-data"]))
        pair.flush()
        context.load_cert_chain(pair.name)
    return cluster["server"], context


class Api:
    """One connection pool to one API server, as the user of one kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        url, context = credentials(kubeconfig)
        self._client = httpx.Client(base_url=url, verify=context, timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self._client.get("/readyz", timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def get(self, path: str) -> Object:
        """The object, or list, at `path`."""
        return self._request("GET", path)

    def create(self, path: str, body: Object) -> Object:
        """Creates `body` in the collection `path`."""
        return self._request("POST", path, body)

    def apply(self, path: str, body: Object) -> Object:
        """Server-side apply of `body` at `path`; creates it when it is not there."""
        return self._request(
            "PATCH",
            f"{path}?fieldManager={FIELD_MANAGER}&force=true",
            body,
            "application/apply-patch+yaml",
        )

    def patch(self, path: str, body: Object) -> Object:
        """JSON merge patch of the object at `path`."""
        return self._request("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path: str, grace_seconds: int | None = None) -> None:
        """Deletes the object at `path`; one that is gone already is fine."""
        suffix = "" if grace_seconds is None else f"?gracePeriodSeconds={grace_seconds}"
        try:
            self._request("DELETE", path + suffix)
        except NotFound:
            return

    def watch(self, path: str, resource_version: str, seconds: int) -> Iterator[Object]:
        """Events after `resource_version`, until the server ends the watch.

        Raises:
            Gone: the version is too old.
        """
        parameters = {
            "watch": "1",
            "resourceVersion": resource_version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        with self._client.stream(
            "GET", path, params=parameters, timeout=httpx.Timeout(10, read=seconds + 10)
        ) as response:
            if response.status_code == httpx.codes.GONE:
                raise Gone(path)
            if response.is_error:
                response.read()
            _raise_for(response)
            for line in response.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise Gone(event["object"].get("message", ""))
                yield event

    def _request(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> Object:
        content = None if body is None else json.dumps(body).encode()
        response = self._client.request(
            method, path, content=content, headers={"Content-Type": kind}
        )
        _raise_for(response)
        answer: Object = response.json()
        return answer


def _raise_for(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        message = response.json().get("message", response.text)
    except ValueError:
        message = response.text
    if response.status_code == httpx.codes.NOT_FOUND:
        raise NotFound(message)
    if response.status_code == httpx.codes.CONFLICT:
        raise Conflict(message)
    raise Refused(f"{response.status_code} {message}")


def path_of(body: Object) -> str:
    """Path of the object `body`, by the regular plural of its kind."""
    version: str = body["apiVersion"]
    root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    kind = body["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    name, namespace = body["metadata"]["name"], body["metadata"].get("namespace")
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{middle}/{plural}/{name}"


def answers(url: str, authority_pem: bytes) -> bool:
    """Whether a GET of `url` gives 200 with a certificate of `authority_pem`."""
    context = ssl.create_default_context(cadata=authority_pem.decode())
    try:
        return httpx.get(url, verify=context, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
