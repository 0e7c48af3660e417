"""The config of a model and the sizes of its files from the hub, when the user asks for it.

The hub's HTTP interface: https://huggingface.co/docs/hub/api.
"""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from cli import settings
from presets import syntax

_NO_HUB = "check HF_ENDPOINT"

_SECONDS = 20.0
_MOST_BYTES = 32 * 2**20
"""Of one answer: the listing of the largest repositories is under 1 MiB."""


class Unreachable(Exception):
    """The hub did not answer as asked; the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Listing:
    """What the hub tells of a model."""

    revision: str
    """Commit that everything here is of."""
    config: dict[str, Any]
    file_bytes: dict[str, int]
    """Sizes of the repository's files."""


def look_up(model: str, chosen: settings.Hub) -> Listing:
    """The newest commit of `org/name`.

    Raises:
        Unreachable: no network, no such model, no right to read it, or what answers is no hub.
    """
    if not syntax.is_web_url(chosen.endpoint):
        message = f"HF_ENDPOINT is no http or https address: {chosen.endpoint}"
        hint = f"such as {settings.Hub.endpoint}, which is taken where it is not set"
        raise Unreachable(message, hint)
    name = urllib.parse.quote(model)
    url = f"{chosen.endpoint}/api/models/{name}?blobs=true"
    told = _json(url, chosen)
    revision, sizes = told.get("sha"), _sizes(told.get("siblings"))
    if not (isinstance(revision, str) and revision):
        raise Unreachable(f"{url}: names no commit (sha)", _NO_HUB)
    if sizes is None:
        raise Unreachable(f"{url}: lists no files (siblings)", _NO_HUB)
    config = _json(f"{chosen.endpoint}/{name}/resolve/{revision}/config.json", chosen)
    return Listing(revision, config, sizes)


def _sizes(files: object) -> dict[str, int] | None:
    """Bytes by file name, 0 where the hub knows no size; None where it is no list of files."""
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        return None
    sizes = [(file.get("rfilename"), file.get("size") or 0) for file in files]
    if not all(isinstance(name, str) and isinstance(size, int) for name, size in sizes):
        return None
    return dict(sizes)


def _json(url: str, chosen: settings.Hub) -> dict[str, Any]:
    request = urllib.request.Request(url)  # noqa: S310 - the endpoint is the user's own choice
    if chosen.token:  # unredirected: never sent to where the hub sends us on
        request.add_unredirected_header("Authorization", f"Bearer {chosen.token}")
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - likewise
            found = json.loads(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        hint = "check the name; a gated model needs a token in HF_TOKEN"
        raise Unreachable(f"{url}: {error.code} {error.reason}", hint) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(f"{url}: {reason}", "check the network, or give --config FILE") from error
    except (ValueError, RecursionError) as error:
        raise Unreachable(f"{url}: not JSON", _NO_HUB) from error
    if not isinstance(found, dict):
        raise Unreachable(f"{url}: not an object", _NO_HUB)
    return found
