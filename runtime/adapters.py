"""LoRA adapters beside a model: all of them at once, each at its strength.

Every adapter stays a pair of matrices beside the weights, so that the sum is exact: KAITO melts
them into one of the largest rank by a singular value decomposition, which loses a part.

Imports torch and peft: only the engine's thread imports this module.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peft
import safetensors
import torch
from peft.tuners import tuners_utils
from safetensors import torch as safetensors_torch
from transformers import PreTrainedModel

from presets import runtime_args
from runtime import model_files
from telemetry import logs

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
"""Files of an adapter, by peft's names and KAITO's layout."""

_HINT = "the image holds it under /data: adapter_config.json and adapter_model.safetensors"

_ANOTHER_MODEL = "it was tuned on another model: serve that one, or tune it anew"

_READ = frozenset(
    {
        "alpha_pattern",
        "exclude_modules",
        "fan_in_fan_out",
        "layers_pattern",
        "layers_to_transform",
        "lora_alpha",
        "r",
        "rank_pattern",
        "target_modules",
        "use_rslora",
    }
)
"""Keys of the config that say what plain LoRA adds to a model."""

_NOTED = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "inference_mode",
        "lora_dropout",
        "peft_type",
        "peft_version",
        "revision",
        "task_type",
    }
)
"""Keys that tell where it comes from, or concern its tuning alone."""

_DEFAULTS = (
    ("bias", "none"),
    ("init_lora_weights", True),
    ("init_lora_weights", "gaussian"),
    ("init_lora_weights", "orthogonal"),
    ("megatron_core", "megatron.core"),
    ("qalora_group_size", 16),
)
"""What other keys hold in an adapter that is plain LoRA, besides nothing: any other value names a
way of adapting without a strength, one that changes the model itself, or one later than our peft.
Of the starts of the matrices these leave the model's own weights untouched, unlike PiSSA or OLoRA.
Source: LoraConfig (peft 0.21.2)."""


def attach(model: PreTrainedModel, asked: Sequence[runtime_args.ServedAdapter]) -> None:
    """Let `model` answer with the sum of the adapters, in place.

    Raises:
        CannotLoad: one of them is missing, is no plain LoRA, or was made for another model.
    """
    wrapper: peft.PeftModel | None = None
    names = []
    for place, one in enumerate(asked):
        began = time.monotonic()
        # Not the user's name: peft mixes up an adapter called `a` or `lora` with its own prefix.
        names.append(f"adapter{place}")
        try:
            config, weights = _config(Path(one.directory)), _weights(Path(one.directory))
            wrapper = _added(wrapper or model, config, names[-1])
            _fill(wrapper, weights, names[-1])
        except _Unfit as unfit:
            raise model_files.CannotLoad(f"--adapter: {one.name}: {unfit}", unfit.hint) from unfit
        _weigh(model, names[-1], float(one.strength))
        logs.info(
            "adapter_loaded",
            adapter=one.name,
            rank=config.r,
            strength=one.strength,
            seconds=f"{time.monotonic() - began:.2f}",
        )
    if wrapper is not None:
        wrapper.base_model.set_adapter(names, inference_mode=True)
        model.eval()


class _Unfit(Exception):
    """Why an adapter cannot be used, and what to do about it."""

    def __init__(self, message: str, hint: str = _HINT) -> None:
        super().__init__(message)
        self.hint = hint


def _config(directory: Path) -> peft.LoraConfig:
    raw = _json(directory / CONFIG)
    if str(raw.get("peft_type")).upper() != "LORA":
        raise _Unfit(f"{CONFIG}: peft_type {raw.get('peft_type')!r} is not LORA", "tune with LoRA")
    for key, value in raw.items():
        if not _is_plain(key, value):
            message = f"{CONFIG}: {key} is {json.dumps(value)}, which is not plain LoRA"
            raise _Unfit(message, "tune it without, or merge the adapter into its model")
    kept = {key: raw[key] for key in sorted(_READ & raw.keys())}
    try:
        return peft.LoraConfig(**{**kept, "task_type": "CAUSAL_LM", "inference_mode": True})
    except (TypeError, ValueError) as error:
        raise _Unfit(f"{CONFIG}: {_first_line(error)}") from error


def _is_plain(key: str, value: object) -> bool:
    if key in _READ | _NOTED or value in (None, False, [], {}):
        return True
    return (key, value) in _DEFAULTS


def _json(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text())
    except FileNotFoundError:
        raise _Unfit(f"{path.parent} has no {path.name}") from None
    except PermissionError:
        raise _unreadable(path) from None
    except (OSError, ValueError) as error:
        raise _Unfit(f"{path} cannot be read: {_first_line(error)}") from error
    if not isinstance(raw, dict):
        raise _Unfit(f"{path} is not a JSON object")
    return raw


def _weights(directory: Path) -> dict[str, torch.Tensor]:
    path = directory / WEIGHTS
    try:
        with path.open("rb"):
            pass
        found: dict[str, torch.Tensor] = safetensors_torch.load_file(path)
    except FileNotFoundError:
        raise _Unfit(f"{directory} has no {WEIGHTS}") from None
    except PermissionError:
        raise _unreadable(path) from None
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise _Unfit(f"{path} cannot be loaded: {_first_line(error)}") from error
    return found


def _unreadable(path: Path) -> _Unfit:
    return _Unfit(
        f"{path} may not be read by this user",
        "give the image's files mode 0644 (safetensors writes 0600), or set runAsUser to their"
        " owner",
    )


def _added(
    to: PreTrainedModel | peft.PeftModel, config: peft.LoraConfig, name: str
) -> peft.PeftModel:
    """The model with another adapter, whose matrices still hold random numbers."""
    try:
        if not isinstance(to, peft.PeftModel):
            return peft.PeftModel(to, config, name, autocast_adapter_dtype=False)
        to.add_adapter(name, config, autocast_adapter_dtype=False)
    except ValueError as error:
        raise _Unfit(f"{CONFIG}: {_first_line(error)}", _ANOTHER_MODEL) from error
    return to


def _fill(wrapper: peft.PeftModel, weights: dict[str, torch.Tensor], name: str) -> None:
    """Put the tensors into their places; all of them, and no place stays random."""
    try:
        result = peft.set_peft_model_state_dict(wrapper, weights, name)
    except (KeyError, RuntimeError, ValueError) as error:
        raise _Unfit(f"its tensors do not fit: {_first_line(error)}", _ANOTHER_MODEL) from error
    if unknown := sorted(result.unexpected_keys):
        raise _Unfit(f"the model has no place for its tensor {unknown[0]}", _ANOTHER_MODEL)
    if missing := sorted(key for key in result.missing_keys if f".{name}." in key):
        tensor = missing[0].replace(f".{name}", "")
        raise _Unfit(f"it lacks the tensor {tensor}", _ANOTHER_MODEL)


def _weigh(model: PreTrainedModel, name: str, strength: float) -> None:
    """Multiply what the adapter adds; its own scale (alpha and rank, by layer) stays a factor."""
    for module in model.modules():
        if isinstance(module, tuners_utils.BaseTunerLayer) and name in module.scaling:
            module.scaling[name] *= strength


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
