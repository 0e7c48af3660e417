"""OCI images written by hand: deterministic layers, configuration, manifest.

Layers are not compressed: over a local link a machine pulls the runtime's image in 1.1 s, and in
1.45 s with gzip at its fastest. So a layer's digest is that of its tar.

Source: OCI image specification 1.0, layer.md, config.md and manifest.md.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from typing_extensions import override

from deploy.local import cached

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class MalformedReference(ValueError):
    """An image name without registry, repository or tag."""


class TwoEntries(ValueError):
    """A layer names a path twice."""


@dataclass(frozen=True)
class File:
    """A file of a layer."""

    path: str
    """Inside the image, without a leading slash."""
    content: Path | bytes
    """A file of this machine, or the bytes."""
    mode: int = 0o644


@dataclass(frozen=True)
class Link:
    """A symbolic link of a layer."""

    path: str
    target: str


@dataclass(frozen=True)
class Directory:
    """A directory of a layer; those of files and links come by themselves with mode 0755."""

    path: str
    mode: int = 0o755


Entry = File | Link | Directory


@dataclass(frozen=True)
class Blob:
    """Bytes under their digest."""

    digest: str
    """`sha256:` and 64 hex digits."""
    size: int
    media_type: str
    content: Path | bytes

    def descriptor(self) -> dict[str, str | int]:
        """How a manifest names it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class Reference:
    """`registry/repository:tag`."""

    registry: str
    repository: str
    tag: str

    @override
    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


@dataclass(frozen=True)
class Image:
    """A manifest and the blobs that it names."""

    reference: Reference
    manifest: Blob
    blobs: tuple[Blob, ...]
    """Configuration and layers."""

    @property
    def size(self) -> int:
        """Bytes to push or pull when nothing is there yet."""
        return self.manifest.size + sum(blob.size for blob in self.blobs)


def parse_reference(name: str) -> Reference:
    """The parts of an image's full name.

    Raises:
        MalformedReference: registry (its first part holds a dot or a port), repository or tag
            is missing.
    """
    registry, slash, rest = name.partition("/")
    repository, colon, tag = rest.rpartition(":")
    if not (slash and repository and colon and tag) or not any(c in registry for c in ".:"):
        raise MalformedReference(
            f"{name!r} is not registry/repository:tag, with a dot or a port in the registry"
        )
    return Reference(registry, repository, tag)


def image(reference: str, layers: Sequence[Blob], config: Mapping[str, object], arch: str) -> Image:
    """The image of `layers`; `config` is the specification's `config` object (Env, User, ...)."""
    body = {
        "architecture": arch,
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
    }
    config_blob = blob(_json(body), CONFIG)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config_blob.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }
    return Image(
        reference=parse_reference(reference),
        manifest=blob(_json(manifest), MANIFEST),
        blobs=(config_blob, *layers),
    )


def blob(content: bytes, media_type: str) -> Blob:
    """Bytes in memory as a blob."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Blob(digest, len(content), media_type, content)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def layer(entries: Iterable[Entry]) -> Blob:
    """A small layer, in memory: equal entries in any order give equal bytes.

    Raises:
        TwoEntries: a path is named twice.
    """
    buffer = io.BytesIO()
    _write(entries, buffer)
    return blob(buffer.getvalue(), LAYER)


def write_layer(entries: Iterable[Entry], path: Path) -> Blob:
    """The layer of `layer` in the file `path`: whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with fresh.open("wb") as file:
        _write(entries, file)
    with fresh.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    fresh.rename(path)
    return Blob(digest, path.stat().st_size, LAYER, path)


def _write(entries: Iterable[Entry], stream: IO[bytes]) -> None:
    by_path: dict[str, Entry] = {}
    for entry in entries:
        if entry.path in by_path:
            raise TwoEntries(f"{entry.path} is in the layer twice")
        by_path[entry.path] = entry
    for path in list(by_path):
        for parent in PurePosixPath(path).parents:
            if str(parent) != ".":
                by_path.setdefault(str(parent), Directory(str(parent)))
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(by_path):
            _add(tar, by_path[path])


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    member = tarfile.TarInfo(entry.path)  # owner 0:0 without names, time 0
    if isinstance(entry, Link):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.target, 0o777
        tar.addfile(member)
    elif isinstance(entry, Directory):
        member.type, member.mode = tarfile.DIRTYPE, entry.mode
        tar.addfile(member)
    else:
        content = entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()
        member.mode, member.size = entry.mode, len(content)
        tar.addfile(member, io.BytesIO(content))


def tree(source: Path, target: str, *, skip: frozenset[str] = frozenset()) -> list[File]:
    """The files under `source` as files under `target`, executable where they are.

    Names of files and directories in `skip` are left out; links are followed.
    """
    found: list[File] = []
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        if entry.name in skip:
            continue
        path = f"{target}/{entry.name}"
        if entry.is_dir():
            found += tree(Path(entry.path), path, skip=skip)
        elif entry.is_file():
            mode = 0o755 if entry.stat().st_mode & 0o100 else 0o644
            found.append(File(path, Path(entry.path), mode))
    return found


def save(layer: Blob, record: Path) -> None:
    """Writes down what `load` needs to find a layer that `write_layer` wrote."""
    cached.write(record, _json({"digest": layer.digest, "size": layer.size}))


def load(record: Path, path: Path) -> Blob | None:
    """The layer in `path` that `save` recorded; None when either file is missing or cut."""
    try:
        body = json.loads(record.read_bytes())
        whole = path.stat().st_size == body["size"]
    except (FileNotFoundError, ValueError):
        return None
    return Blob(body["digest"], body["size"], LAYER, path) if whole else None
