"""Presets of the user's own, by every verb that takes a name."""

from pathlib import Path

import pytest
import yaml

from cli import __main__ as command

MODELS = Path(__file__).parents[2] / "presets" / "models"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A directory with tiny-chat under another name."""
    family = yaml.safe_load((MODELS / "tiny-chat.yaml").read_text())
    (one,) = family["presets"]
    family["presets"] = [{**one, "name": "my-chat", "context_tokens": 256}]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(family))
    (tmp_path / "app.yaml").with_suffix(".manifest").write_text(
        "apiVersion: apps/v1\nkind: Deployment\n"
        "metadata: {name: a, labels: {kaito.sh/preset: my-chat}}\n"
    )
    return tmp_path


@pytest.mark.parametrize("verb", ["presets", "fit", "offers"])
def test_a_preset_of_ones_own_has_a_name(
    verb: str, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([verb, "my-chat", "--presets", str(own)]) == 0
    assert "256" in capsys.readouterr().out
    assert command.main([verb, "my-chat"]) == 2
    assert "UnknownPreset" in capsys.readouterr().err


def test_a_workload_of_it_is_expanded(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["expand", "-f", str(own / "app.manifest")]
    assert command.main([*flags, "--presets", str(own)]) == 0
    assert "--served-name=my-chat" in capsys.readouterr().out
    assert command.main(flags) == 1


def test_every_mistake_of_the_files_is_an_error_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(
        "family: mine\npresets: [{name: a, licence: MIT, weights: {size: 5Gi}}]\n"
    )
    assert command.main(["presets", "--presets", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3
    assert all(line.startswith(("error: mine.yaml: presets[0].", "  hint: ")) for line in lines)


def test_a_directory_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["fit", "a", "--presets", "/no/such"]) == 1
    assert capsys.readouterr().err.startswith("error: --presets /no/such: No such file")
