"""The Kubernetes API over the official client: raw dicts in and out, typed errors.

The only module that imports `kubernetes`. Of the client it uses what is hard to get right, that is
configuration and credentials (exec plugins, token refresh, proxies), and skips its models.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3
from kubernetes import client, config

from kubeapi import api

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_WATCH_SECONDS = 290
"""The server ends a watch after this; the socket waits longer, so that a dead peer shows."""
_WATCH_SILENCE_SECONDS = _WATCH_SECONDS + 20.0
_CONNECTIONS = 16
"""Kept for reuse: more than there are watches, and calls side by side."""
_FIRST_ERROR = 400
"""HTTP statuses from here on are errors."""
_MERGE_PATCH = "application/merge-patch+json"


class NoCluster(Exception):
    """No way to a cluster was configured; the message says what was tried."""


def connect(kubeconfig: str | None, *, program: str) -> "Client":
    """A client for the cluster of `kubeconfig`, or of the pod that this process runs in.

    `program` is what the API server writes into its audit log: `plainsail-PROGRAM`.

    Raises:
        NoCluster: the file is missing or malformed, or this process runs in no pod.
    """
    configuration = client.Configuration()
    try:
        if kubeconfig is None:
            load: Any = config.load_incluster_config
            load(client_configuration=configuration)
        else:
            load = config.load_kube_config
            load(kubeconfig, client_configuration=configuration)
    except (config.ConfigException, OSError) as error:
        where = "in-cluster configuration" if kubeconfig is None else kubeconfig
        hint = "give --kubeconfig FILE, or run in a pod with a ServiceAccount"
        raise NoCluster(f"{where}: {error}\nhint: {hint}") from error
    return Client(configuration, program)


class Client:
    """`api.Api` over HTTP."""

    def __init__(self, configuration: client.Configuration, program: str) -> None:
        configuration.retries = False  # who calls decides when to try again
        configuration.keep_alive = True
        configuration.connection_pool_maxsize = _CONNECTIONS
        self._client = client.ApiClient(configuration)
        self._client.user_agent = f"plainsail-{program}"

    def get(self, path: str, query: Mapping[str, str] | None = None) -> api.Object:
        """See `api.Api.get`."""
        return self._call("GET", path, query=query)

    def create(self, path: str, body: api.Object) -> api.Object:
        """See `api.Api.create`."""
        return self._call("POST", path, body=body)

    def apply(self, path: str, body: api.Object, *, manager: str, force: bool) -> api.Object:
        """See `api.Api.apply`."""
        query = {"fieldManager": manager, "force": str(force).lower()}
        text = orjson.dumps(body)
        return self._call(
            "PATCH", path, query=query, body=text, kind="application/apply-patch+yaml"
        )

    def patch(self, path: str, body: api.Object) -> api.Object:
        """See `api.Api.patch`."""
        return self._call("PATCH", path, body=body, kind=_MERGE_PATCH)

    def delete(self, path: str, preconditions: Mapping[str, str]) -> None:
        """See `api.Api.delete`."""
        self._call("DELETE", path, body={"preconditions": dict(preconditions)})

    def watch(self, path: str, query: Mapping[str, str]) -> Iterator[api.Object]:
        """See `api.Api.watch`."""
        timeout = (_CONNECT_SECONDS, _WATCH_SILENCE_SECONDS)
        query = {**query, "watch": "1", "timeoutSeconds": str(_WATCH_SECONDS)}
        response = self._send("GET", path, query=query, timeout=timeout)
        if response.status >= _FIRST_ERROR:
            raise api.error(response.status, _answer(response))
        return _events(response)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: api.Object | bytes | None = None,
        kind: str = "application/json",
    ) -> api.Object:
        timeout = (_CONNECT_SECONDS, _ANSWER_SECONDS)
        response = self._send(method, path, query=query, body=body, kind=kind, timeout=timeout)
        answer = _answer(response)
        if response.status >= _FIRST_ERROR:
            raise api.error(response.status, answer)
        return answer

    def _send(
        self,
        method: str,
        path: str,
        *,
        timeout: tuple[float, float],
        query: Mapping[str, str] | None = None,
        body: api.Object | bytes | None = None,
        kind: str = "application/json",
    ) -> urllib3.HTTPResponse:
        headers = {**self._client.default_headers, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        url = self._client.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        try:
            answer = self._client.call_api(
                method, url, header_params=headers, body=body, _request_timeout=timeout
            )
        except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as error:
            raise api.Unavailable(0, "NoAnswer", str(error)) from error
        response: urllib3.HTTPResponse = answer.response
        return response


def _events(response: urllib3.HTTPResponse) -> Iterator[api.Object]:
    try:
        for line in _lines(response.stream(amt=None, decode_content=True)):
            yield orjson.loads(line)
    except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError) as error:
        raise api.Unavailable(0, "WatchLost", str(error)) from error
    finally:
        response.close()


def _answer(response: urllib3.HTTPResponse) -> api.Object:
    """The JSON object, or a stand-in `Status` when a proxy answered with something else."""
    try:
        text = response.data
    except urllib3.exceptions.HTTPError as error:
        raise api.Unavailable(0, "AnswerLost", str(error)) from error
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError:
        answer = None
    if isinstance(answer, dict):
        return answer
    return {"reason": "NotJSON", "message": text[:200].decode(errors="replace")}


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines of a byte stream, blank ones left out; an unfinished last line is dropped."""
    rest: list[bytes] = []
    for chunk in chunks:
        *whole, tail = chunk.split(b"\n")
        for line in whole:
            rest.append(line)
            if full := b"".join(rest).strip():
                yield full
            rest.clear()
        if tail:
            rest.append(tail)
