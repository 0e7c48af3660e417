"""The rules about mounts: where we mount something, the user has mounted nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from presets import annotations
from presets.field_errors import FieldError
from webhook import adapters, reasons, weights
from webhook.case import Case
from webhook.workloads import POD


def weights_have_room(of: Case) -> Iterator[FieldError]:
    """The path at which the weights are to be mounted is free."""
    message = f"is where {annotations.WEIGHTS} puts its volume"
    hint = f"mount it elsewhere, or drop {annotations.WEIGHTS}"
    yield from have_room(of, weights.mounts(of.supply), message, hint)


def adapters_have_room(of: Case) -> Iterator[FieldError]:
    """The paths at which adapters are to be mounted are free."""
    message = f"is where {annotations.ADAPTERS} puts an adapter"
    hint = "mount it elsewhere, or give the adapter another name"
    yield from have_room(of, adapters.mounts(of.beside), message, hint)


def have_room(
    of: Case, mounts: Iterable[Mapping[str, Any]], message: str, hint: str
) -> Iterator[FieldError]:
    """The model's container has nothing else at the paths of `mounts`: volumes that we add."""
    held = of.chosen.found.get("volumeMounts") if of.chosen else None
    if of.chosen is None or not held:
        return
    ours = {mount["mountPath"]: mount["name"] for mount in mounts}
    for own in held:
        path = own.get("mountPath")
        if path in ours and own.get("name") != ours[path]:
            where = f"{POD}.containers[{of.chosen.name}].volumeMounts[{path}]"
            yield FieldError(where, path, reasons.MOUNT_PATH_TAKEN, message, hint)
