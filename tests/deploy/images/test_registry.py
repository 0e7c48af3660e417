"""Pushing to a registry that speaks the distribution protocol, and the registry's configuration."""

import hashlib
import json
import re
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from deploy.local.failures import CannotRun
from deploy.local.images import oci, registry


class Store(ThreadingHTTPServer):
    """A registry in memory: blobs by digest, manifests by repository and tag."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.refuse = 0
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Source: distribution specification, sections Pull and Push (POST then PUT)."""

    protocol_version = "HTTP/1.1"
    server: Store

    @override
    def log_message(self, format: str, *args: object) -> None:
        self.server.requests.append(self.requestline.removesuffix(" HTTP/1.1"))

    def answer(self, status: int, **headers: str) -> None:
        """A reply without a body."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def body(self) -> bytes:
        """What the request carries."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def do_GET(self) -> None:
        """The version check."""
        self.answer(200)

    def do_HEAD(self) -> None:
        """Whether a blob or a manifest is there."""
        if "/blobs/" in self.path:
            self.answer(200 if self.path.rpartition("/")[2] in self.server.blobs else 404)
        elif self.path in self.server.manifests:
            digest = hashlib.sha256(self.server.manifests[self.path]).hexdigest()
            self.answer(200, Docker_Content_Digest=f"sha256:{digest}")
        else:
            self.answer(404)

    def do_POST(self) -> None:
        """An upload begins."""
        self.answer(202, Location=f"{self.path}upload-1?_state=abc")

    def do_PUT(self) -> None:
        """A blob or a manifest arrives."""
        content = self.body()
        if self.server.refuse:
            self.answer(self.server.refuse)
        elif "/manifests/" in self.path:
            self.server.manifests[self.path] = content
            self.answer(201)
        else:
            match = re.search(r"upload-1\?_state=abc&digest=(sha256:\w+)$", self.path)
            assert match is not None
            assert match[1] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            self.server.blobs[match[1]] = content
            self.answer(201)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def image(tmp_path: Path) -> oci.Image:
    """One layer in a file, one in memory."""
    layers = [
        oci.write_layer([oci.File("a", b"1")], tmp_path / "l.tar"),
        oci.layer([oci.File("b", b"2" * 5_000_000)]),
    ]
    return oci.image("ghcr.io/plainsail/runtime:0.1.0", layers, {}, "amd64")


def test_a_push_stores_every_blob_and_the_manifest_without_the_registrys_name(
    store: Store, image: oci.Image
) -> None:
    pushed = registry.push(image, store.url)
    assert pushed == registry.Pushed(3, sum(blob.size for blob in image.blobs))
    assert set(store.blobs) == {blob.digest for blob in image.blobs}
    assert store.manifests == {"/v2/plainsail/runtime/manifests/0.1.0": image.manifest.content}


def test_a_second_push_is_one_question(store: Store, image: oci.Image) -> None:
    registry.push(image, store.url)
    store.requests.clear()
    assert registry.push(image, store.url) == registry.Pushed(0, 0)
    assert store.requests == ["HEAD /v2/plainsail/runtime/manifests/0.1.0"]


def test_a_changed_layer_is_the_only_one_sent(store: Store, image: oci.Image) -> None:
    registry.push(image, store.url)
    layers = [image.blobs[1], oci.layer([oci.File("b", b"3")])]
    changed = oci.image(str(image.reference), layers, {}, "amd64")
    config, _, layer = changed.blobs
    assert registry.push(changed, store.url) == registry.Pushed(2, config.size + layer.size)


def test_a_refusal_names_status_and_request(store: Store, image: oci.Image) -> None:
    store.refuse = 507
    with pytest.raises(registry.Refused, match=r"answered 507 to PUT /v2/plainsail/runtime/blobs/"):
        registry.push(image, store.url)
    assert store.manifests == {}


def test_waiting_ends_when_the_registry_answers(store: Store) -> None:
    registry.wait(store.url, 1)
    assert store.requests == ["GET /v2/"]


def test_waiting_for_none_names_the_address() -> None:
    with pytest.raises(CannotRun, match=r"http://127.0.0.1:1 did not answer within 0.01 s"):
        registry.wait("http://127.0.0.1:1", 0.01)


def test_every_name_leads_to_the_one_registry_and_nowhere_else() -> None:
    assert tomllib.loads(registry.hosts_toml("http://10.99.0.2:5000")) == {
        "server": "http://10.99.0.2:5000",
        "host": {"http://10.99.0.2:5000": {"capabilities": ["pull", "resolve"]}},
    }


def test_the_configuration_names_address_and_directory() -> None:
    body = json.loads(registry.configuration(Path("/cache/registry"), "10.99.0.2", 5000))
    assert body["http"]["addr"] == "10.99.0.2:5000"
    assert body["storage"]["filesystem"] == {"rootdirectory": "/cache/registry"}


def test_without_apt_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun) as refusal:
        registry.executable(tmp_path / "cache", lambda _: None)
    assert refusal.value.render() == (
        "error: no docker-registry on PATH, and no apt-get to fetch it with\n"
        "hint: install the package docker-registry"
    )
    assert not (tmp_path / "cache/docker-registry").exists()
