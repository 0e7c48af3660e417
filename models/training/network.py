"""The networks: plain Llama and Phi3 of transformers, random weights from a seed."""

from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
)

from models.training.recipe import Recipe

ANSWER_TOKENS = 96
"""Longest answer by default; the longest taught has about half as many tokens."""


class UnknownArchitecture(ValueError):
    """A recipe names an architecture that is not built here; the message names it."""


def build(recipe: Recipe, *, pad: int, bos: int, eos: int) -> Any:  # noqa: ANN401 - torch is untyped here
    """A network of `recipe` with fresh weights, a head tied to the embedding, no dropout.

    Raises:
        UnknownArchitecture: `recipe.architecture` is neither `llama` nor `phi3`.
    """
    shape: dict[str, Any] = {
        "vocab_size": recipe.vocabulary,
        "hidden_size": recipe.hidden,
        "intermediate_size": recipe.feed_forward,
        "num_hidden_layers": recipe.layers,
        "num_attention_heads": recipe.heads,
        "num_key_value_heads": recipe.heads,
        "max_position_embeddings": recipe.context_tokens,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
        "tie_word_embeddings": True,
        "pad_token_id": pad,
        "bos_token_id": bos,
        "eos_token_id": eos,
    }
    torch.manual_seed(recipe.seed)
    if recipe.architecture == "llama":
        network = LlamaForCausalLM(LlamaConfig(**shape))
    elif recipe.architecture == "phi3":
        # Its own field: without it, the class's 4,096 would stand beside our shorter context.
        shape["original_max_position_embeddings"] = recipe.context_tokens
        network = Phi3ForCausalLM(Phi3Config(**shape))
    else:
        raise UnknownArchitecture(f"{recipe.architecture!r} in recipe {recipe.name}")
    network.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=ANSWER_TOKENS,
        pad_token_id=pad,
        bos_token_id=bos,
        eos_token_id=eos,
    )
    return network
