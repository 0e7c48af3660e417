"""The runtime's image: its application layer by unit tests, the whole by running it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.failures import CannotRun
from deploy.local.images import elf, oci, runtime_image

NAME = "ghcr.io/plainsail/runtime:0.1.0"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with three packages and a model."""
    cached = "runtime/__pycache__/x.pyc"
    for name in ("presets/a.py", "runtime/a.py", "telemetry/a.py", cached):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "models/tiny-chat").mkdir(parents=True)
    (tmp_path / "models/tiny-chat/config.json").write_text("{}")
    return tmp_path


def test_the_app_is_our_packages_and_the_model(repository: Path) -> None:
    assert [file.path for file in runtime_image.app_files(repository)] == [
        "opt/plainsail/app/presets/a.py",
        "opt/plainsail/app/runtime/a.py",
        "opt/plainsail/app/telemetry/a.py",
        "opt/plainsail/models/tiny-chat/config.json",
    ]


def test_a_missing_model_is_named_unless_it_is_not_asked_for(repository: Path) -> None:
    (repository / "models/tiny-chat").rename(repository / "models/other")
    with pytest.raises(CannotRun, match="models/tiny-chat: no model there"):
        runtime_image.app_files(repository)
    assert len(runtime_image.app_files(repository, model=False)) == 3


def test_pods_run_as_nobody_and_find_code_and_model() -> None:
    config = runtime_image.config()
    assert (config["User"], config["WorkingDir"]) == ("65534", "/opt/plainsail/app")
    environment = config["Env"]
    assert isinstance(environment, list)
    assert "PYTHONPATH=/opt/plainsail/app" in environment
    assert "PLAINSAIL_MODELS=/opt/plainsail/models" in environment


def test_the_pause_image_is_one_program() -> None:
    image = runtime_image.pause("registry.k8s.io/pause:3.10")
    config, layer = image.blobs
    assert isinstance(config.content, bytes)
    assert isinstance(layer.content, bytes)
    assert b'"Entrypoint":["/pause"]' in config.content
    assert elf.pause(elf.machine()) in layer.content


def test_a_refused_installation_tells_why(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    uv = tmp_path / "scripts/uv"
    uv.write_text("#!/bin/sh\necho 'Downloading a' >&2; echo 'no such version' >&2; exit 1\n")
    uv.chmod(0o755)
    (tmp_path / "home").mkdir()
    said: list[str] = []
    with pytest.raises(CannotRun, match="could not be installed: no such version"):
        runtime_image.install(tmp_path, "click==1\n", tmp_path / "home", said.append)
    assert said == ["Downloading a", "Downloading a"]  # without and with the package index
    assert not (tmp_path / "home.txt").exists()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[oci.Image, Path]:
    """The image of this repository, and the cache that it was built in."""
    cache = tmp_path_factory.mktemp("cache")
    return runtime_image.build(NAME, Path.cwd(), cache, lambda _: None, model=False), cache


@pytest.mark.e2e
def test_the_image_runs_as_nobody_with_nothing_of_this_machine(
    built: tuple[oci.Image, Path], tmp_path: Path
) -> None:
    image, _ = built
    for blob in image.blobs[1:]:
        assert isinstance(blob.content, Path)
        subprocess.run(["tar", "-xf", blob.content, "-C", tmp_path], check=True)
    program = (
        "import ctypes, fastapi, orjson, pydantic, sqlite3, ssl, uvicorn, uvloop, yaml, runtime\n"
        "import os; print(os.getuid(), len(ssl.create_default_context().get_ca_certs()) > 50)"
    )
    tmp_path.chmod(0o755)

    def enter() -> None:
        os.chroot(tmp_path)
        os.chdir("/opt/plainsail/app")
        os.setuid(65534)

    environment = runtime_image.config()["Env"]
    assert isinstance(environment, list)
    done = subprocess.run(
        ["/usr/local/bin/python3", "-c", program],
        env=dict(pair.split("=", 1) for pair in environment),
        preexec_fn=enter,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("65534 True\n", "")


@pytest.mark.slow
def test_a_second_build_is_the_same_image_and_makes_nothing(
    built: tuple[oci.Image, Path],
) -> None:
    image, cache = built
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    said: list[str] = []
    assert runtime_image.build(NAME, Path.cwd(), cache, said.append, model=False) == image
    assert said == []
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before


@pytest.mark.slow
def test_an_image_built_elsewhere_has_the_same_digests(
    built: tuple[oci.Image, Path], tmp_path: Path
) -> None:
    """In another process and another cache: nothing of time, place or chance is in a layer."""
    program = (
        "import sys; from pathlib import Path; from deploy.local.images import runtime_image as r\n"
        f"print(r.build({NAME!r}, Path.cwd(), Path(sys.argv[1]), len, model=False).manifest.digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == built[0].manifest.digest
