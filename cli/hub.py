"""The config of a model and the sizes of its files from the hub, when the user asks for it.

The hub's HTTP interface: https://huggingface.co/docs/hub/api.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from cli import settings

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
        Unreachable: no network, no such model, or no right to read it.
    """
    name = urllib.parse.quote(model)
    told = _json(f"{chosen.endpoint}/api/models/{name}?blobs=true", chosen)
    revision = str(told["sha"])
    config = _json(f"{chosen.endpoint}/{name}/resolve/{revision}/config.json", chosen)
    sizes = {file["rfilename"]: int(file.get("size") or 0) for file in told.get("siblings", ())}
    return Listing(revision, config, sizes)


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
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(f"{url}: {reason}", "check the network, or give --config FILE") from error
    except ValueError as error:
        raise Unreachable(f"{url}: not JSON", "check HF_ENDPOINT") from error
    if not isinstance(found, dict):
        raise Unreachable(f"{url}: not an object", "check HF_ENDPOINT")
    return found
