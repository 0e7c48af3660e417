"""The adapters that a model is served with: where the pod has them, and what the server is told.

An adapter's image holds its files under `/data`, on any base or none (KAITO's layout).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from presets import adapter_list, runtime_args
from webhook import copies

MOUNT = "/mnt/adapter"
"""Above the directories of the adapters, as in KAITO."""

VOLUME = "plainsail-adapter"
"""Volumes and init containers are called so with the adapter's place in the list: its name may be
as long as theirs."""

_IN_IMAGE = "data"


class Beside(NamedTuple):
    """The adapters beside a model, and how the cluster gives images of them to a pod."""

    listed: tuple[adapter_list.Adapter, ...] = ()
    has_image_volumes: bool = True
    """The cluster mounts images, so that an adapter's needs no program in it. Else each image runs
    as an init container that copies its files, which takes a `cp` in it."""

    @property
    def is_copied(self) -> bool:
        """Init containers copy them."""
        return bool(self.listed) and not self.has_image_volumes


NONE = Beside()


def served(beside: Beside) -> tuple[runtime_args.ServedAdapter, ...]:
    """The adapters as the model server is told of them."""
    return tuple(
        runtime_args.ServedAdapter(one.name, _directory(beside, one), one.strength)
        for one in beside.listed
    )


def volumes(beside: Beside) -> list[dict[str, Any]]:
    """A volume for each adapter."""
    return [
        {"name": name, "emptyDir": {}}
        if beside.is_copied
        else {"name": name, "image": {"reference": one.image, "pullPolicy": "IfNotPresent"}}
        for name, one in _named(beside)
    ]


def mounts(beside: Beside) -> list[dict[str, Any]]:
    """The mounts of those volumes, read-only."""
    return [
        {"name": name, "mountPath": _mount(one), "readOnly": True} for name, one in _named(beside)
    ]


def copiers(beside: Beside, security: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The init containers that copy the adapters; none where they are mounted."""
    if not beside.is_copied:
        return []
    return [
        copies.copier(
            name, one.image, _IN_IMAGE, {"name": name, "mountPath": _mount(one)}, security
        )
        for name, one in _named(beside)
    ]


def _named(beside: Beside) -> Iterator[tuple[str, adapter_list.Adapter]]:
    """Each adapter with the name of its volume."""
    for place, one in enumerate(beside.listed):
        yield f"{VOLUME}-{place}", one


def _mount(one: adapter_list.Adapter) -> str:
    return f"{MOUNT}/{one.name}"


def _directory(beside: Beside, one: adapter_list.Adapter) -> str:
    """Of the adapter's files in the container: an image is mounted whole."""
    return _mount(one) if beside.is_copied else f"{_mount(one)}/{_IN_IMAGE}"
