"""The training loop: fresh questions at every step, loss on the answers, one thread."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from models.training import network
from models.training.batches import IGNORED, Batch, Encoder
from models.training.corpus import Corpus
from models.training.examples import Source
from models.training.recipe import Recipe

WARM_UP_STEPS = 40
LONG_EVERY, LONG_BATCH, LONG_TURNS = 8, 6, 14
"""Every eighth step: six conversations of fourteen turns, about the context, instead of a batch."""
SECOND_TURN_EVERY = 8
"""Every eighth conversation of a batch has an unrelated turn before the question."""

OnStep = Callable[[int, float], None]
"""Called after each step with the steps done and the loss."""


def run(recipe: Recipe, corpus: Corpus, tokenizer: PreTrainedTokenizerFast, on_step: OnStep) -> Any:  # noqa: ANN401 - torch is untyped here
    """The trained network, in bfloat16; equal recipes and corpora give equal weights.

    Sets torch to one thread and deterministic kernels, which the equality needs.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    model = network.build(
        recipe,
        pad=tokenizer.pad_token_id,
        bos=tokenizer.bos_token_id,
        eos=tokenizer.eos_token_id,
    )
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=recipe.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: pace(at, recipe.steps))
    source, encoder = Source(corpus, recipe.seed + 1), Encoder(tokenizer, recipe.seed + 2)
    for step in range(recipe.steps):
        loss = _loss(model, _draw(step, recipe, source, encoder))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        on_step(step + 1, loss.item())
    model.eval()
    return model.to(torch.bfloat16)


def pace(step: int, steps: int) -> float:
    """Learning rate at `step` of `steps` as a share of the peak."""
    if step < WARM_UP_STEPS:
        return (step + 1) / WARM_UP_STEPS
    done = (step - WARM_UP_STEPS) / max(1, steps - WARM_UP_STEPS)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _draw(step: int, recipe: Recipe, source: Source, encoder: Encoder) -> Batch:
    if step % LONG_EVERY == LONG_EVERY - 1:
        conversations = [source.conversation(LONG_TURNS) for _ in range(LONG_BATCH)]
        return encoder.batch(conversations, recipe.context_tokens, cut=False)
    conversations = [
        source.conversation(2 if at % SECOND_TURN_EVERY == 0 else 1) for at in range(recipe.batch)
    ]
    return encoder.batch(conversations, recipe.context_tokens, cut=True)


def _loss(model: Any, batch: Batch) -> torch.Tensor:  # noqa: ANN401 - torch is untyped here
    """Mean cross-entropy over the labelled positions; the head runs on those alone."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(input_ids=batch.ids, use_cache=False).last_hidden_state
        chosen = batch.labels != IGNORED
        logits = model.lm_head(hidden[chosen])
    return functional.cross_entropy(logits.float(), batch.labels[chosen])
