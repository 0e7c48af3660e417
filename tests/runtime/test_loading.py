"""Files to a model in memory; whatever is wrong with them is one line and a hint."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime import model_files, sampling


@pytest.fixture
def files(tiny_llama: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llama, tmp_path / "m"))


def load(directory: Path, *, dtype: str = "auto", context_tokens: int = 0) -> Any:
    from runtime import loading  # noqa: PLC0415 - torch: seconds to import

    return loading.load(directory, dtype=dtype, context_tokens=context_tokens, cpus=1)


def edit(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_what_the_files_say_is_kept(files: Path) -> None:
    edit(
        files / "generation_config.json",
        eos_token_id=[1, 7],
        do_sample=True,
        temperature=0.6,
        top_p=0.9,
        max_new_tokens=33,
    )
    loaded = load(files)
    assert loaded.eos_ids == {1, 7}
    assert loaded.wishes == sampling.Wishes(do_sample=True, temperature=0.6, top_p=0.9)
    assert (loaded.new_tokens, loaded.context_tokens) == (33, 128)
    assert str(loaded.model.dtype) == "torch.float32"


def test_a_greedy_generation_config_is_seen_as_such(files: Path) -> None:
    edit(files / "generation_config.json", do_sample=False)
    assert load(files).wishes.do_sample is False


def test_float16_becomes_bfloat16_on_the_cpu(files: Path) -> None:
    import torch  # noqa: PLC0415 - as above

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert str(load(files, dtype="float16").model.dtype) == "torch.bfloat16"


def test_the_context_can_be_shortened_and_not_lengthened(files: Path) -> None:
    assert load(files, context_tokens=64).context_tokens == 64
    with pytest.raises(model_files.CannotLoad, match="--context-tokens: 129 is more"):
        load(files, context_tokens=129)


def unknown_architecture(directory: Path) -> None:
    edit(directory / "config.json", model_type="no-such-model")


def cut_weights(directory: Path) -> None:
    weights = directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def empty_weights(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"")


def more_layers(directory: Path) -> None:
    edit(directory / "config.json", num_hidden_layers=3)


def other_shape(directory: Path) -> None:
    edit(directory / "config.json", intermediate_size=65)


def no_tokenizer(directory: Path) -> None:
    for path in directory.glob("tokenizer*"):
        path.unlink()


def broken_tokenizer(directory: Path) -> None:
    (directory / "tokenizer.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (unknown_architecture, "config.json is not a model that transformers knows"),
        (cut_weights, "the weights in .* cannot be loaded"),
        (empty_weights, "the weights in .* cannot be loaded"),
        (more_layers, "lack 9 tensors, model.layers.2.input_layernorm.weight first"),
        (other_shape, "the weights in .* cannot be loaded"),
        (no_tokenizer, "the tokenizer in .* cannot be read"),
        (broken_tokenizer, "the tokenizer in .* cannot be read"),
    ],
)
def test_damage_is_one_line_and_a_hint(
    files: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(files)
    with pytest.raises(model_files.CannotLoad, match=message) as refused:
        load(files)
    assert len(str(refused.value).splitlines()) == 2
