"""`plainsail fit`: whole outputs as golden files, what ends it with which status, a model's config.

Case space: serving, LoRA, QLoRA x fits, shortened, several GPUs, several machines, misfit, nowhere;
a machine of a cloud, a slice, the machine at hand; a preset, a config.json.
"""

import json
import shlex
from pathlib import Path

import pytest

from cli import __main__ as command
from cli import lookup
from presets import gpus
from tests.cli.running import LLAMA_3_8B
from tests.conftest import GOLDEN, Goldens

CASES = {
    "v100": "phi-3-mini-4k-instruct --instance-type Standard_NC6s_v3",
    "v100-long-context": "phi-3-mini-128k-instruct --instance-type Standard_NC6s_v3",
    "cheapest": "llama-3.3-70b-instruct",
    "machines": "deepseek-r1-0528 --instance-type Standard_NC96ads_A100_v4",
    "misfit": "llama-3.3-70b-instruct --instance-type Standard_NC6s_v3",
    "tuning": "phi-3-mini-128k-instruct --tuning qlora",
    "tuning-misfit": (
        "phi-3-mini-128k-instruct --tuning qlora --context 8192 --keep-activations"
        " --instance-type Standard_NC6s_v3"
    ),
    "untunable": "gpt-oss-20b --tuning lora",
    "too-long": "phi-2 --context 100,000 --instance-type Standard_NC24ads_A100_v4",
    "slice": "mistral-7b --instance-type Standard_NC24ads_A100_v4 --mig 3g.40gb",
}
MISFITS = {"misfit", "tuning-misfit", "untunable", "too-long"}


@pytest.mark.parametrize("case", CASES)
def test_the_whole_output(case: str, capsys: pytest.CaptureFixture[str], goldens: Goldens) -> None:
    status = command.main(["fit", *shlex.split(CASES[case])])
    out, err = capsys.readouterr()
    goldens.check(GOLDEN / "cli" / f"fit-{case}.txt", f"$ plainsail fit {CASES[case]}\n{out}")
    assert (status, err) == (int(case in MISFITS), "")
    assert max(map(len, out.splitlines())) <= 80


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    argv = shlex.split(CASES["v100-long-context"])
    assert command.main(["fit", *argv, "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fits"] is True
    assert found["context_tokens"] == 17_920
    assert found["bill"]["capacity"] == gpus.INSTANCE_TYPES["Standard_NC6s_v3"].gpu_memory_bytes
    assert [note["code"] for note in found["warnings"]] == [
        "NoBfloat16",
        "OldGpu",
        "ContextShortened",
    ]
    assert command.main(["fit", *shlex.split(CASES["misfit"]), "-o", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["fits"], found["biggest"]) == (False, "weights")


def test_the_machine_at_hand_without_its_gpus(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["fit", "tiny-chat", "--instance-type", "local"]) == 0
    out = capsys.readouterr().out
    assert "serves in float32 on the CPU" in out
    assert "Memory of the machine" in out


@pytest.mark.parametrize("directory", [True, False])
def test_a_model_without_a_preset_by_its_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, directory: bool
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(LLAMA_3_8B), encoding="utf-8")
    given = tmp_path if directory else file
    assert command.main(["fit", "me/mine", "--config", str(given), "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["preset"] == "mine"
    llama_3_8b = 8_030_261_248
    assert found["bill"]["weights"] == pytest.approx(2 * llama_3_8b, rel=1e-3)


def test_a_config_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.json"
    for text, says in (("{", "not JSON"), ("{}", "hidden_size"), ("[]", "error:")):
        file.write_text(text, encoding="utf-8")
        assert command.main(["fit", "--config", str(file)]) == 1
        assert says in capsys.readouterr().err
    assert command.main(["fit", "--config", str(tmp_path / "none" / "config.json")]) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            "phi-3-mini",
            'error: "phi-3-mini" is not a preset (UnknownPreset)\n  hint: did you mean',
        ),
        ("zzzzzz", "  hint: plainsail presets lists them all"),
        (
            "phi-2 --instance-type Standard_NC6s_v33",
            'hint: did you mean "Standard_NC6s_v3" or "Standard_NC6s_v2" or ',
        ),
        ("phi-2 --instance-type Standard_NC6s_v3 --mig 1g.5gb", "cannot be cut"),
        ("phi-2 --instance-type Standard_NC24ads_A100_v4 --mig 9g", "hint: known: 1g.10gb"),
    ],
)
def test_unknown_names_get_the_nearest(
    argv: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["fit", *shlex.split(argv)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


@pytest.mark.parametrize(
    "argv", ["", "phi-2 --context 0", "phi-2 --context x", "phi-2 --mig 1g.5gb", "phi-2 -o yaml"]
)
def test_wrong_usage_ends_with_2(argv: str) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["fit", *shlex.split(argv)])
    assert caught.value.code == 2


def test_the_memory_of_the_machine_at_hand_is_that_of_the_system() -> None:
    machine = lookup.this_machine()
    assert machine.gpus == 0
    assert (machine.host_memory_bytes or 0) > 2**28
