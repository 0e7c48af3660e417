"""Adapters beside a model: the exact sum at their strengths, and what is no adapter for it.

The adapters are of random numbers by a seed, written by peft as a tuning run writes them.
"""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from presets.runtime_args import ServedAdapter
from runtime import model_files


@pytest.fixture(scope="module")
def model(tiny_llama: Path) -> Any:
    import transformers  # noqa: PLC0415 - torch: seconds to import

    return transformers.AutoModelForCausalLM.from_pretrained(tiny_llama).eval()


def made(model: Any, directory: Path, seed: int, **lora: Any) -> Any:
    """An adapter for `model` under `directory`, wrapped around a copy of it."""
    import peft  # noqa: PLC0415 - as above
    import torch  # noqa: PLC0415 - as above

    torch.manual_seed(seed)
    settings = {"r": 4, "lora_alpha": 16, "target_modules": ["q_proj", "down_proj"], **lora}
    wrapped = peft.get_peft_model(copy.deepcopy(model), peft.LoraConfig(**settings))
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    wrapped.save_pretrained(directory)
    return wrapped


def logits(model: Any) -> Any:
    import torch  # noqa: PLC0415 - as above

    with torch.inference_mode():
        return model(torch.arange(2, 14)[None]).logits


def attached(model: Any, *asked: ServedAdapter) -> Any:
    from runtime import adapters  # noqa: PLC0415 - as above

    out = copy.deepcopy(model)
    adapters.attach(out, asked)
    return out


@pytest.mark.parametrize("strengths", [("1", "1"), ("0.5", "1"), ("0.25", "0.75"), ("0", "0")])
def test_the_answer_is_the_exact_sum_of_the_adapters(
    model: Any, tmp_path: Path, strengths: tuple[str, str]
) -> None:
    """Of different rank and scale, rsLoRA among them, where peft's own mix is wrong."""
    wanted = copy.deepcopy(model)
    asked = []
    kinds: list[dict[str, Any]] = [{}, {"r": 8, "use_rslora": True, "target_modules": ["v_proj"]}]
    for place, (kind, text) in enumerate(zip(kinds, strengths, strict=True)):
        directory = tmp_path / str(place)
        for name, module in made(model, directory, place, **kind).named_modules():
            if hasattr(module, "get_delta_weight"):
                weight = wanted.get_submodule(name.removeprefix("base_model.model.")).weight
                weight.data += float(text) * module.get_delta_weight("default")
        # `a` and `lora` are parts of the prefix by which peft finds its own parameters.
        asked.append(ServedAdapter(("a", "lora")[place], str(directory), Decimal(text)))
    found = logits(attached(model, *asked))
    assert (found - logits(wanted)).abs().max() < 1e-5
    difference = (found - logits(model)).abs().max()
    assert difference == 0 if strengths == ("0", "0") else difference > 0.1


def test_a_server_with_an_adapter_answers_otherwise(
    model: Any, tiny_llama: Path, tmp_path: Path
) -> None:
    """From arguments to tokens, on the path that the program takes."""
    from runtime import sampling, server, settings  # noqa: PLC0415 - as above

    made(model, tmp_path, 3)
    plain = ["serve", f"--model={tiny_llama}", "--dtype=float32"]

    def answer(*more: str) -> list[int]:
        taken: list[int] = []

        def take(token: int) -> bool:
            taken.append(token)
            return False

        loaded = server._load(settings.read([*plain, *more], {}))
        loaded.generate([5, 6, 7], sampling.Sampling(max_tokens=8), take)
        return taken

    assert answer(f"--adapter=a:0:{tmp_path}") == answer()
    assert answer(f"--adapter=a:1:{tmp_path}") != answer()


@pytest.mark.parametrize("start", ["gaussian", "orthogonal"])
def test_how_the_matrices_were_started_does_not_matter(
    model: Any, tmp_path: Path, start: str
) -> None:
    """Where the model's own weights stay as they are: what was tuned is in the file."""
    wrapped = made(model, tmp_path, 7, init_lora_weights=start)
    found = attached(model, ServedAdapter("sql", str(tmp_path)))
    assert (logits(found) - logits(wrapped)).abs().max() < 1e-5
    assert (logits(found) - logits(model)).abs().max() > 0.1


@pytest.mark.parametrize("start", ["pissa", "pissa_niter_4", "olora", "corda", "loftq"])
def test_a_start_that_changes_the_models_own_weights_is_refused(
    model: Any, tmp_path: Path, start: str
) -> None:
    made(model, tmp_path, 1)
    edit(init_lora_weights=start)(tmp_path)
    with pytest.raises(model_files.CannotLoad, match=f'init_lora_weights is "{start}", which'):
        attached(model, ServedAdapter("sql", str(tmp_path)))


def edit(**fields: Any) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = directory / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return damage


def no_config(directory: Path) -> None:
    (directory / "adapter_config.json").unlink()


def no_weights(directory: Path) -> None:
    (directory / "adapter_model.safetensors").unlink()


def cut_weights(directory: Path) -> None:
    path = directory / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def list_for_config(directory: Path) -> None:
    (directory / "adapter_config.json").write_text("[]")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (no_config, "has no adapter_config.json"),
        (no_weights, "has no adapter_model.safetensors"),
        (cut_weights, "adapter_model.safetensors cannot be loaded"),
        (list_for_config, "is not a JSON object"),
        (edit(peft_type="IA3"), "peft_type 'IA3' is not LORA"),
        (edit(use_dora=True), "use_dora is true, which is not plain LoRA"),
        (edit(modules_to_save=["lm_head"]), "modules_to_save is .*, which is not plain LoRA"),
        (edit(bias="all"), 'bias is "all", which is not plain LoRA'),
        (edit(of_next_year=2), "of_next_year is 2, which is not plain LoRA"),
        (edit(r=8), "its tensors do not fit"),
        (edit(target_modules=["q_proj"]), "the model has no place for its tensor"),
        (edit(target_modules=["q_proj", "down_proj", "k_proj"]), "it lacks the tensor"),
        (edit(target_modules=["c_attn"]), "Target modules .* not found"),
    ],
)
def test_what_is_no_adapter_for_the_model_is_one_line_and_a_hint(
    model: Any, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    made(model, tmp_path, 1)
    damage(tmp_path)
    with pytest.raises(model_files.CannotLoad, match=f"--adapter: sql: .*{message}") as refused:
        attached(model, ServedAdapter("sql", str(tmp_path)))
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors"])
def test_files_that_only_their_owner_may_read_get_a_hint(
    model: Any, tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As safetensors writes them, mode 0600; tests may run as root, who may read everything."""
    made(model, tmp_path, 1)
    opened = Path.open

    def refuse(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == file:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(model_files.CannotLoad, match="may not be read by this user") as refused:
        attached(model, ServedAdapter("sql", str(tmp_path)))
    assert "0644" in str(refused.value)


def test_a_config_as_kaito_writes_it_is_read(model: Any, tmp_path: Path) -> None:
    """No task type, and none of the keys of later versions of peft."""
    wrapped = made(model, tmp_path, 5)
    path = tmp_path / "adapter_config.json"
    raw = json.loads(path.read_text())
    old = "alpha_pattern auto_mapping bias fan_in_fan_out lora_alpha lora_dropout peft_type r"
    kept = (*old.split(), "rank_pattern", "target_modules", "use_rslora", "loftq_config")
    path.write_text(json.dumps({**{key: raw[key] for key in kept}, "task_type": None}))
    found = attached(model, ServedAdapter("sql", str(tmp_path)))
    assert (logits(found) - logits(wrapped)).abs().max() < 1e-5
