"""A model's files from the hub, at one revision, through the hub's own cache.

`HF_HUB_OFFLINE`, `HF_HOME` and `HF_TOKEN` are honoured by the library itself.
"""

from pathlib import Path

import huggingface_hub
from huggingface_hub import errors

from runtime import model_files
from telemetry import logs

FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
"""What `from_pretrained` reads; never code, pickles or other frameworks' weights."""


def fetch(source: model_files.HubName) -> Path:
    """The directory of the repository's files, downloaded where the cache lacks them.

    Raises:
        HubUnavailable: not reachable and not cached, or not given to us.
    """
    if not source.revision:
        logs.warning("revision_not_pinned", model=source.name)
    try:
        return Path(
            huggingface_hub.snapshot_download(
                source.name, revision=source.revision or None, allow_patterns=list(FILES)
            )
        )
    except errors.GatedRepoError as error:
        raise model_files.HubUnavailable(
            f"--model: {source.name} is gated on the hub",
            "accept its licence there and give a token in HF_TOKEN",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise model_files.HubUnavailable(
            f"--model: {source.name} is not on the hub, or needs a token",
            "check the name, or give a token in HF_TOKEN",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise model_files.HubUnavailable(
            f"--revision: {source.revision} is not a revision of {source.name}",
            "give a full commit id",
        ) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        raise model_files.HubUnavailable(
            f"--model: {source.name} is not in the cache and the hub cannot be reached",
            "mount the weights and give their directory, or allow the pod to reach the hub",
        ) from error
