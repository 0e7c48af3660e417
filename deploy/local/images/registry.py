"""One local registry that answers for every image name, and a push to it.

Debian's docker-registry (distribution 2.8.2). Its storage is content-addressed and shared by the
clusters of a machine, so a second `up` pushes nothing.
"""

import http.client
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from deploy.local import cached
from deploy.local.failures import CannotRun
from deploy.local.images import oci
from deploy.local.images.runtime_image import Report

PACKAGE = "docker-registry"
TIMEOUT_SECONDS = 30
_BLOCK_BYTES = 1 << 20
"""Blocks of an upload: http.client's own 8 KiB cost a system call each."""


class Refused(CannotRun):
    """The registry answered a push with something else than it should."""


@dataclass(frozen=True)
class Pushed:
    """What a push sent."""

    blobs: int
    bytes: int


def executable(cache: Path, report: Report) -> Path:
    """The registry's program: on PATH, in the cache, or out of Debian's package, not installed.

    The package is unpacked only: installing it would start a service.

    Raises:
        CannotRun: neither the program nor apt-get and dpkg are there, or the package cannot be
            had.
    """
    on_path = shutil.which(PACKAGE)
    if on_path:
        return Path(on_path)
    home = cached.directory(cache / PACKAGE, lambda fresh: _unpack(fresh, report))
    return home / "usr/bin" / PACKAGE


def _unpack(fresh: Path, report: Report) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise CannotRun(
            f"no {PACKAGE} on PATH, and no apt-get to fetch it with",
            f"install the package {PACKAGE}",
        )
    report(f"fetching the package {PACKAGE}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # apt-get fetches as a user of its own
        download = ["apt-get", "-qq", "download", PACKAGE]
        done = subprocess.run(download, cwd=folder, capture_output=True, check=False)
        if done.returncode:  # no package lists yet
            subprocess.run(["apt-get", "-qq", "update"], capture_output=True, check=False)
            done = subprocess.run(download, cwd=folder, capture_output=True, check=False)
        package = next(Path(folder).glob("*.deb"), None)
        if package is None:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
            raise CannotRun(
                f"the package {PACKAGE} could not be fetched: {lines[-1]}",
                f"run apt-get update as root, or install the package {PACKAGE}",
            )
        subprocess.run(["dpkg", "-x", package, fresh], check=True)


def configuration(storage: Path, host: str, port: int) -> str:
    """The registry's configuration file: one address, one directory, no deletion, few words."""
    body = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "cache": {"blobdescriptor": "inmemory"},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"{host}:{port}", "relativeurls": True},
        "health": {"storagedriver": {"enabled": False}},
    }
    return json.dumps(body, indent=2) + "\n"  # JSON is YAML


def command(program: Path, configuration_file: Path) -> list[str]:
    """Runs the registry in the foreground."""
    return [str(program), "serve", str(configuration_file)]


def hosts_toml(base_url: str) -> str:
    """The `_default/hosts.toml`: every registry's name leads containerd here, and only here.

    With `server` also as the fallback, an image that is not here is an error at once instead of a
    wait for a name server. containerd asks for `/v2/REPOSITORY/...?ns=REGISTRY`.
    """
    return f'server = "{base_url}"\n\n[host."{base_url}"]\n  capabilities = ["pull", "resolve"]\n'


def wait(base_url: str, seconds: float) -> None:
    """Returns once the registry answers.

    Raises:
        CannotRun: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not _answers(base_url):
        if time.monotonic() > deadline:
            raise CannotRun(f"the registry at {base_url} did not answer within {seconds:g} s")
        time.sleep(0.02)


def _answers(base_url: str) -> bool:
    with _Connection(base_url) as connection:
        try:
            connection.ask("GET", "/v2/", (200,))
        except OSError:
            return False
        return True


def push(image: oci.Image, base_url: str) -> Pushed:
    """Stores the image under its repository and tag; sends only what is not there.

    Raises:
        Refused: the registry answered with an error.
        OSError: it did not answer.
    """
    root = f"/v2/{image.reference.repository}"
    sent: list[oci.Blob] = []
    with _Connection(base_url) as connection:
        if _holds(connection, image):
            return Pushed(0, 0)
        for blob in image.blobs:
            if connection.ask("HEAD", f"{root}/blobs/{blob.digest}", (200, 404)).status == 404:  # noqa: PLR2004 - HTTP's own number
                _upload(connection, root, blob)
                sent.append(blob)
        connection.ask(
            "PUT",
            f"{root}/manifests/{image.reference.tag}",
            (201,),
            image.manifest.content,
            {"Content-Type": image.manifest.media_type},
        )
    return Pushed(len(sent), sum(blob.size for blob in sent))


def _holds(connection: "_Connection", image: oci.Image) -> bool:
    reply = connection.ask(
        "HEAD",
        f"/v2/{image.reference.repository}/manifests/{image.reference.tag}",
        (200, 404),
        headers={"Accept": oci.MANIFEST},
    )
    return reply.headers.get("Docker-Content-Digest") == image.manifest.digest


def _upload(connection: "_Connection", root: str, blob: oci.Blob) -> None:
    reply = connection.ask("POST", f"{root}/blobs/uploads/", (202,))
    location = urlsplit(reply.headers["Location"])
    query = f"{location.query}&" if location.query else ""
    connection.ask(
        "PUT",
        f"{location.path}?{query}digest={blob.digest}",
        (201,),
        blob.content,
        {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)},
    )


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: http.client.HTTPMessage


class _Connection:
    """One kept-alive connection."""

    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        assert address.hostname is not None, base_url
        self._http = http.client.HTTPConnection(
            address.hostname, address.port, timeout=TIMEOUT_SECONDS, blocksize=_BLOCK_BYTES
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        expected: tuple[int, ...],
        body: Path | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Reply:
        """The reply, if its status is one of `expected`.

        Raises:
            Refused: it is another one.
        """
        if isinstance(body, Path):
            with body.open("rb") as file:
                self._http.request(method, path, file, dict(headers or {}))
        else:
            self._http.request(method, path, body, dict(headers or {}))
        response = self._http.getresponse()
        text = response.read()
        if response.status not in expected:
            raise Refused(
                f"the registry answered {response.status} to {method} {path}: "
                f"{text[:200].decode(errors='replace')}"
            )
        return _Reply(response.status, response.headers)
