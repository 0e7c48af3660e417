"""Where the weights come from, and what the pod is given for it: a volume, or a token for the hub.

Image and claim are mounted whole, and the path is followed inside the mount: a cache of the hub is
full of links that lead out of the directory that holds them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from presets import preset, sources
from webhook import copies

MOUNT = "/mnt/weights"
"""Where the image's or the claim's root is in the model's container."""

VOLUME = "plainsail-weights"

TOKEN = "HF_TOKEN"  # noqa: S105 - the name of a variable
"""Variable that the hub's library reads a token from, and the Secret's key, as in KAITO."""

TOKEN_SECRET = "hf-token"  # noqa: S105 - the name of an object
"""Secret in the workload's namespace; a convention of Hugging Face's own charts."""


class Supply(NamedTuple):
    """A source of weights, and how the cluster gives an image of them to a pod."""

    source: sources.Weights = sources.FROM_HUB
    has_image_volumes: bool = True
    """The nodes mount images: Kubernetes 1.36 with containerd 2.1. Else an init container of
    the image itself copies the weights, which takes a `cp` in it and the space twice."""

    @property
    def is_copied(self) -> bool:
        """An init container copies them."""
        return self.source.kind == sources.IMAGE and not self.has_image_volumes


FROM_HUB = Supply()


def directory(supply: Supply) -> str:
    """Of the weights in the container; empty where they come from the hub or our own image."""
    source = supply.source
    if source.kind == sources.HUB:
        return ""
    return f"{MOUNT}/{source.path}" if source.path and not supply.is_copied else MOUNT


def volumes(supply: Supply) -> list[dict[str, Any]]:
    """The volume that holds them; none where they come from the hub."""
    source = supply.source
    if source.kind == sources.HUB:
        return []
    if supply.is_copied:
        return [{"name": VOLUME, "emptyDir": {}}]
    if source.kind == sources.PVC:
        claim = {"claimName": source.name, "readOnly": True}
        return [{"name": VOLUME, "persistentVolumeClaim": claim}]
    return [{"name": VOLUME, "image": {"reference": source.name, "pullPolicy": "IfNotPresent"}}]


def mounts(supply: Supply) -> list[dict[str, Any]]:
    """The mount of that volume, read-only."""
    if supply.source.kind == sources.HUB:
        return []
    return [{"name": VOLUME, "mountPath": MOUNT, "readOnly": True}]


def copier(supply: Supply, security: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The init container that copies the weights; none where they are mounted."""
    if not supply.is_copied:
        return []
    mount = {"name": VOLUME, "mountPath": MOUNT}
    return [copies.copier(VOLUME, supply.source.name, supply.source.path, mount, security)]


def needs_token(model: preset.Preset, supply: Supply) -> bool:
    """Whether the hub gives the weights only to those who accepted their licence."""
    is_from_hub = supply.source.kind == sources.HUB and not model.weights.in_image
    return is_from_hub and bool(model.gated)


def environment(model: preset.Preset, supply: Supply) -> list[dict[str, Any]]:
    """The token, from a Secret that may be absent: the server then says what is missing."""
    if not needs_token(model, supply):
        return []
    key = {"name": TOKEN_SECRET, "key": TOKEN, "optional": True}
    return [{"name": TOKEN, "valueFrom": {"secretKeyRef": key}}]
