"""From a directory to a model in memory: config, tokenizer, weights, dtype, device.

Imports torch and transformers: only the engine's thread imports this module.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import safetensors
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from runtime import model_files, sampling
from telemetry import logs


@dataclass(frozen=True)
class Loaded:
    """A model in memory and what its files say."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: str
    context_tokens: int
    eos_ids: frozenset[int]
    wishes: sampling.Wishes
    new_tokens: int | None
    """Longest answer by the generation config."""


def load(
    directory: Path, *, dtype: str, context_tokens: int, cpus: int, threads: int = 0
) -> Loaded:
    """The model of `directory`, on the GPU where there is one.

    `threads` 0 goes by `cpus` and the model's size.

    Raises:
        CannotLoad: the files are not those of a causal language model, or not whole.
    """
    began = time.monotonic()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(threads or cpus)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = _config(directory)
    tokenizer = _tokenizer(directory)
    chosen = _dtype(dtype, config, device)
    model = _model(directory, config, chosen, device)
    parameters = sum(p.numel() for p in model.parameters())
    torch.set_num_threads(threads or model_files.threads(parameters, cpus))
    loaded = Loaded(
        model=model,
        tokenizer=tokenizer,
        device=device,
        context_tokens=_context(context_tokens, config, tokenizer),
        eos_ids=_eos_ids(model.generation_config, tokenizer),
        wishes=_wishes(model.generation_config),
        new_tokens=model.generation_config.max_new_tokens,
    )
    logs.info(
        "model_loaded",
        architecture=type(model).__name__,
        parameters=parameters,
        dtype=chosen,
        device=device,
        threads=torch.get_num_threads(),
        context_tokens=loaded.context_tokens,
        seconds=f"{time.monotonic() - began:.2f}",
    )
    return loaded


def _config(directory: Path) -> PreTrainedConfig:
    try:
        return AutoConfig.from_pretrained(directory, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise model_files.CannotLoad(
            f"--model: {directory}/config.json is not a model that transformers knows: "
            f"{_first_line(error)}",
            "models that bring their own code are not loaded",
        ) from error


def _tokenizer(directory: Path) -> PreTrainedTokenizerBase:
    try:
        return AutoTokenizer.from_pretrained(directory, local_files_only=True)
    except Exception as error:  # tokenizers raise bare Exception on a malformed file
        raise model_files.CannotLoad(
            f"--model: the tokenizer in {directory} cannot be read: {_first_line(error)}",
            "tokenizer.json or tokenizer.model must stand beside config.json",
        ) from error


def _dtype(asked: str, config: PreTrainedConfig, device: str) -> str:
    own = str(getattr(config, "dtype", None) or "float32").removeprefix("torch.")
    capability = torch.cuda.get_device_capability() if device == "cuda" else None
    chosen = model_files.choose_dtype(asked, own, capability)
    if chosen.because:
        logs.warning("dtype_changed", asked=asked, chosen=chosen.name, because=chosen.because)
    return chosen.name


def _model(directory: Path, config: PreTrainedConfig, dtype: str, device: str) -> PreTrainedModel:
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            directory,
            config=config,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **({"device_map": "auto"} if device == "cuda" else {}),
        )
    except (OSError, ValueError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
        raise model_files.CannotLoad(
            f"--model: the weights in {directory} cannot be loaded: {_first_line(error)}",
            "copy the model's files again; an interrupted copy looks like this",
        ) from error
    # transformers fills what is missing with random numbers and only warns.
    if missing := sorted(report["missing_keys"]):
        raise model_files.CannotLoad(
            f"--model: the weights in {directory} lack {len(missing)} tensors, {missing[0]} first",
            "copy the model's files again; an interrupted copy looks like this",
        )
    return model.eval()


def _context(asked: int, config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    text = config.get_text_config()
    own = getattr(text, "max_position_embeddings", None) or tokenizer.model_max_length
    if asked > own:
        raise model_files.CannotLoad(
            f"--context-tokens: {asked} is more than the model's own {own}",
            "leave it out to use the model's own",
        )
    return int(asked or own)


def _eos_ids(generation: GenerationConfig, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """All ids that end an answer: models with turns have one for the turn and one for the text."""
    own = generation.eos_token_id
    ids = own if isinstance(own, list) else [own]
    return frozenset(i for i in [*ids, tokenizer.eos_token_id] if i is not None)


def _wishes(generation: GenerationConfig) -> sampling.Wishes:
    return sampling.Wishes(
        do_sample=generation.do_sample,
        temperature=generation.temperature,
        top_p=generation.top_p,
        top_k=generation.top_k,
        repetition_penalty=generation.repetition_penalty,
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
