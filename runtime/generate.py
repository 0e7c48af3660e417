"""The engine `generate`: transformers' own generation loop, one sequence at a time.

Imports torch and transformers: only the engine's thread imports this module.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteriaList

from runtime import loading, sampling


class Generator:
    """A loaded model that generates; an `engine.Model`."""

    def __init__(self, loaded: loading.Loaded) -> None:
        self.tokenizer = loaded.tokenizer
        self.context_tokens = loaded.context_tokens
        self.eos_ids = loaded.eos_ids
        self.wishes = loaded.wishes
        self.new_tokens = loaded.new_tokens
        self._model = loaded.model
        self._device = loaded.device
        # Read into `wishes` above; here they would fill in for what a request leaves neutral.
        for field in ("max_length", "max_new_tokens", "min_p", "typical_p"):
            setattr(self._model.generation_config, field, None)

    def decode(self, ids: list[int]) -> str:
        """Text of the ids, special tokens left out."""
        text: str = self.tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def generate(
        self, ids: Sequence[int], chosen: sampling.Sampling, taken: Callable[[int], bool]
    ) -> None:
        """Generate until `chosen.max_tokens`, or until `taken(token)` says that it was the last."""
        ids_BT = torch.tensor([ids], device=self._device)  # noqa: N806 - batch, time
        if not chosen.greedy:
            # The generator is global, but so is the thread: nothing else draws meanwhile.
            torch.manual_seed(secrets.randbits(63) if chosen.seed is None else chosen.seed)
        with torch.inference_mode():
            self._model.generate(
                ids_BT,
                attention_mask=torch.ones_like(ids_BT),
                generation_config=self._config(chosen),
                stopping_criteria=StoppingCriteriaList([_Tap(taken)]),
            )

    def _config(self, chosen: sampling.Sampling) -> GenerationConfig:
        eos = sorted(self.eos_ids)
        drawn: dict[str, Any] = {}
        if not chosen.greedy:
            drawn = {
                "temperature": chosen.temperature,
                "top_p": chosen.top_p,
                "top_k": chosen.top_k,
            }
        return GenerationConfig(
            do_sample=not chosen.greedy,
            num_beams=1,
            num_return_sequences=1,
            max_new_tokens=chosen.max_tokens,
            repetition_penalty=chosen.repetition_penalty,
            eos_token_id=eos or None,
            pad_token_id=eos[0] if eos else 0,  # never used: one sequence needs no padding
            **drawn,
        )


class _Tap:
    """A stopping criterion that hands every new token on and stops when told to."""

    def __init__(self, taken: Callable[[int], bool]) -> None:
        self._taken = taken

    def __call__(self, ids_BT: torch.Tensor, scores: object, **_: object) -> torch.Tensor:  # noqa: ARG002, N803 - transformers' signature; batch, time
        done = self._taken(int(ids_BT[0, -1]))
        return torch.full((1,), done, device=ids_BT.device, dtype=torch.bool)
