"""The manifests that we ship, and how they get into a cluster."""

import base64
from pathlib import Path

import yaml

from deploy.local import api as apis
from deploy.local import paths
from deploy.local.api import Api, Object

DIRECTORY = paths.REPOSITORY / "deploy" / "manifests"


def documents(name: str) -> list[Object]:
    """The objects of the manifest of that name."""
    return read(DIRECTORY / f"{name}.yaml")


def read(file: Path) -> list[Object]:
    """The Kubernetes objects in `file`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for document in yaml.load_all(file.read_text(), loader) if document]


def webhook(address: str, authority_pem: bytes) -> list[Object]:
    """The webhook's configuration for one that runs in no pod: `address` in place of its Service.

    `authority_pem` is the CA of the certificate that it shows.
    """
    bundle = base64.b64encode(authority_pem).decode()
    found = [one for one in documents("webhook") if "webhooks" in one]
    for hook in (hook for one in found for hook in one["webhooks"]):
        path = hook["clientConfig"]["service"]["path"]
        hook["clientConfig"] = {"url": address + path, "caBundle": bundle}
    return found


def install(api: Api, *names: str) -> None:
    """Applies these manifests as they are, in order."""
    for name in names:
        for document in documents(name):
            api.apply(apis.path_of(document), document)
