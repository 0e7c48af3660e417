"""The version has one value, and every image of ours that is named carries it."""

import re
import tomllib
from pathlib import Path

import pytest

from cli import __main__ as cli
from presets import images

REPOSITORY = Path(__file__).parents[2]


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["version"] == images.VERSION


def test_manifests_name_images_of_this_version() -> None:
    manifests = (REPOSITORY / "deploy" / "manifests").glob("*.yaml")
    named = re.findall(r"ghcr\.io/plainsail/\S+", "".join(each.read_text() for each in manifests))
    assert {name.rpartition(":")[2] for name in named} == {images.VERSION}


def test_the_command_line_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"plainsail {images.VERSION}\n")
