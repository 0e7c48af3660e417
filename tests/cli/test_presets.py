"""`plainsail presets`: the list, one preset, and names that are none."""

import json

import pytest

from cli import __main__ as command
from presets import catalog
from tests.conftest import GOLDEN, Goldens


def test_the_list_has_every_preset_and_fits_a_terminal(
    capsys: pytest.CaptureFixture[str], goldens: Goldens
) -> None:
    assert command.main(["presets"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(catalog.load().names)
    assert max(map(len, out.splitlines())) <= 80
    goldens.check(GOLDEN / "cli" / "presets.txt", out)


@pytest.mark.parametrize("name", ["phi-3-mini-4k-instruct", "deepseek-r1-0528", "tiny-chat"])
def test_one_preset_with_its_sources(
    name: str, capsys: pytest.CaptureFixture[str], goldens: Goldens
) -> None:
    assert command.main(["presets", name]) == 0
    out, _ = capsys.readouterr()
    goldens.check(GOLDEN / "cli" / f"presets-{name}.txt", out)


@pytest.mark.parametrize("name", catalog.load().names)
def test_every_preset_can_be_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["presets", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name}\n")


def test_aliases_and_hub_ids_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["presets", "MICROSOFT/phi-3-mini-4k-INSTRUCT"])
    assert capsys.readouterr().out.startswith("phi-3-mini-4k-instruct\n")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["presets", "-o", "json"])
    everything = json.loads(capsys.readouterr().out)["presets"]
    assert [one["name"] for one in everything] == list(catalog.load().names)
    command.main(["presets", "phi-2", "-o", "json"])
    assert json.loads(capsys.readouterr().out)["context_tokens"] == 2048


def test_the_whole_text_for_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["presets", "mistral-7b-instrukt"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        'error: "mistral-7b-instrukt" is not a preset (UnknownPreset)\n'
        '  hint: did you mean "mistral-7b-instruct" or '
    )
