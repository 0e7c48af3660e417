"""Where a model is and whether it can be one, told before torch is imported."""

from pathlib import Path

import pytest

from runtime import model_files
from runtime.model_files import HubName


def test_a_bare_name_is_a_model_of_the_image() -> None:
    assert model_files.locate("tiny-chat", "", Path("/models")) == Path("/models/tiny-chat")


def test_a_directory_comes_before_a_hub_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert model_files.locate("org/name", "abc", tmp_path) == HubName("org/name", "abc")
    (tmp_path / "org/name").mkdir(parents=True)
    assert model_files.locate("org/name", "abc", tmp_path) == Path("org/name")


@pytest.mark.parametrize("path", ["/absent/dir", "./absent/dir", "a/b/c", "../x/y"])
def test_a_path_is_never_a_hub_name(path: str) -> None:
    assert model_files.locate(path, "", Path("/models")) == Path(path)


def test_what_is_missing_is_named_with_a_hint(tmp_path: Path) -> None:
    def refusal() -> str:
        with pytest.raises(model_files.NotAModel) as refused:
            model_files.check(tmp_path / "m")
        assert refused.value.exit_code == 3
        message, hint = str(refused.value).splitlines()
        assert hint.startswith("hint: ")
        return message.replace(str(tmp_path), "")

    assert refusal() == "--model: /m is not a directory"
    (tmp_path / "m").mkdir()
    assert refusal() == "--model: /m has no config.json"
    (tmp_path / "m/config.json").write_text("{")
    assert refusal().startswith("--model: /m/config.json cannot be read: Expecting property name")
    (tmp_path / "m/config.json").write_text("{}")
    (tmp_path / "m/pytorch_model.bin").touch()
    assert refusal() == "--model: /m has no *.safetensors weights"
    (tmp_path / "m/model.safetensors").touch()
    model_files.check(tmp_path / "m")


@pytest.mark.parametrize(
    ("asked", "own", "capability", "chosen"),
    [
        pytest.param("auto", "bfloat16", None, "bfloat16", id="CPU keeps bfloat16"),
        pytest.param("auto", "float16", None, "bfloat16", id="CPU never float16"),
        pytest.param("float16", "float32", None, "bfloat16", id="not when asked either"),
        pytest.param("auto", "float32", None, "float32", id="CPU float32"),
        pytest.param("auto", "bfloat16", (8, 0), "bfloat16", id="A100 bfloat16"),
        pytest.param("auto", "bfloat16", (7, 0), "float16", id="V100 has none"),
        pytest.param("bfloat16", "float32", (7, 5), "float16", id="T4 has none"),
        pytest.param("float16", "bfloat16", (9, 0), "float16", id="as asked"),
        pytest.param("auto", "float8_e4m3fn", (9, 0), "float32", id="unknown dtype"),
    ],
)
def test_dtype(asked: str, own: str, capability: tuple[int, int] | None, chosen: str) -> None:
    result = model_files.choose_dtype(asked, own, capability)
    assert result.name == chosen
    assert bool(result.because) == (chosen != (own if asked == "auto" else asked))


def test_a_small_model_gets_one_thread_and_a_large_one_all_cpus() -> None:
    assert model_files.threads(1_700_000, 8) == 1
    assert model_files.threads(3_800_000_000, 8) == 8
