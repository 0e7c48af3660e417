"""The torch stack's directory and the stand-ins' hub cache."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.failures import CannotRun
from deploy.local.images import lockfile, torch_stack


@pytest.fixture
def stand(tmp_path: Path) -> torch_stack.StandIn:
    weights = tmp_path / "tiny-phi3"
    weights.mkdir()
    (weights / "config.json").write_text('{"model_type": "phi3"}')
    (weights / "README.md").write_text("our own card")
    return torch_stack.StandIn("org/big-model", "a" * 40, weights)


def test_the_hub_cache_has_the_layout_that_libraries_look_up(
    stand: torch_stack.StandIn, tmp_path: Path
) -> None:
    hub = torch_stack.hub_cache([stand], tmp_path / "cache")
    home = hub / "models--org--big-model"
    assert (home / "refs/main").read_text() == "a" * 40
    assert (home / "snapshots" / ("a" * 40) / "config.json").read_text() == '{"model_type": "phi3"}'


def test_the_hub_library_finds_the_stand_in_offline(
    stand: torch_stack.StandIn, tmp_path: Path
) -> None:
    hub = torch_stack.hub_cache([stand], tmp_path / "cache")
    program = (
        "from huggingface_hub import hf_hub_download as get\n"
        "print(open(get('org/big-model', 'config.json', revision='main')).read())\n"
        f"print(open(get('org/big-model', 'config.json', revision={'a' * 40!r})).read())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={"HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ('{"model_type": "phi3"}\n' * 2, "")


def test_the_hub_cache_says_that_it_holds_stand_ins(
    stand: torch_stack.StandIn, tmp_path: Path
) -> None:
    hub = torch_stack.hub_cache([stand], tmp_path / "cache")
    for readme in (hub, hub / "models--org--big-model/snapshots" / ("a" * 40)):
        text = (readme / "README.md").read_text()
        assert "Stand-ins, not the models that the names say" in text
        assert "org/big-model: tiny-phi3" in text


def test_other_weights_are_another_directory(stand: torch_stack.StandIn, tmp_path: Path) -> None:
    before = torch_stack.hub_cache([stand], tmp_path / "cache")
    assert torch_stack.hub_cache([stand], tmp_path / "cache") == before
    (stand.weights / "config.json").write_text("{}")
    assert torch_stack.hub_cache([stand], tmp_path / "cache") != before


def test_missing_weights_are_named(stand: torch_stack.StandIn, tmp_path: Path) -> None:
    (stand.weights / "config.json").unlink()
    with pytest.raises(CannotRun, match="tiny-phi3: no model there"):
        torch_stack.hub_cache([stand], tmp_path / "cache")


def test_what_is_imported_for_its_bytecode_is_in_the_stack() -> None:
    split = lockfile.split(lockfile.parse(Path("requirements/runtime.txt").read_text()))
    names = {pin.name.replace("-", "_") for pin in split.torch_stack}
    first = torch_stack.IMPORTS.strip().splitlines()[0].removeprefix("import ")
    assert {module.split(".")[0] for module in first.split(", ")} <= names


@pytest.mark.slow
def test_a_stack_that_cannot_be_imported_is_not_kept(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "scripts").mkdir(parents=True)
    (repository / "requirements").mkdir()
    uv = repository / "scripts/uv"
    uv.write_text("#!/bin/sh\nexit 0\n")
    uv.chmod(0o755)
    (repository / "requirements/runtime.txt").write_text("torch==1.0\n    # via\n    #   a\n")
    with pytest.raises(CannotRun, match="No module named 'torch'"):
        torch_stack.prepare(repository, tmp_path / "cache", lambda _: None)
    assert not any(
        path.name.startswith("torch-") and path.suffix == ""
        for path in (tmp_path / "cache").iterdir()
    )
