"""Conversations as tensors: token ids, and labels on the answers only."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from models.training import vocabulary
from models.training.examples import Conversation

IGNORED = -100
"""Label of a position without loss, torch's convention."""
CUT_SHARE, CUT_TOKENS = 0.85, 14
"""Most answers are cut after their start, which decides which answer it is."""
SPLIT_SHARE, SPLIT_WORD = 0.25, 0.2
"""Share of questions, and of their words, that are tokenized in two pieces, as typos are."""


@dataclass(frozen=True)
class Batch:
    """Padded on the right; both tensors are conversations x tokens of the longest."""

    ids: torch.Tensor
    labels: torch.Tensor
    """Already shifted: the label at t is the token at t + 1, or `IGNORED`."""


class Encoder:
    """Turns conversations into token ids and labels."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
        self._tokenizer = tokenizer.backend_tokenizer
        self._rng = random.Random(seed)
        self._special = {
            name: self._tokenizer.token_to_id(name)
            for name in (
                vocabulary.PAD,
                vocabulary.BOS,
                vocabulary.EOS,
                vocabulary.SYSTEM,
                vocabulary.USER,
                vocabulary.ASSISTANT,
            )
        }

    def batch(self, conversations: Sequence[Conversation], limit: int, *, cut: bool) -> Batch:
        """All conversations, none longer than `limit`; with `cut`, most last answers cut."""
        rows = [self._row(each, cut=cut) for each in conversations]
        length = min(limit, max(len(ids) for ids, _ in rows))
        padded = torch.full((len(rows), length), self._special[vocabulary.PAD])
        shifted = torch.full((len(rows), length), IGNORED)
        for at, (ids, labels) in enumerate(rows):
            end = min(len(ids), length)
            padded[at, :end] = torch.tensor(ids[:end])
            shifted[at, : end - 1] = torch.tensor(labels[1:end])
        return Batch(padded, shifted)

    def _row(self, conversation: Conversation, *, cut: bool) -> tuple[list[int], list[int]]:
        ids = [self._special[vocabulary.BOS]]
        labels = [IGNORED]
        if conversation.system:
            ids += [self._special[vocabulary.SYSTEM], *self._ids(conversation.system)]
            labels += [IGNORED] * (len(ids) - len(labels))
        for turn in conversation.turns:
            ids += [self._special[vocabulary.USER], *self._question(turn.question)]
            ids.append(self._special[vocabulary.ASSISTANT])
            labels += [IGNORED] * (len(ids) - len(labels))
            answer = [*self._ids(turn.answer), self._special[vocabulary.EOS]]
            if cut and turn is conversation.turns[-1] and self._rng.random() < CUT_SHARE:
                answer = answer[:CUT_TOKENS]
            ids += answer
            labels += answer
        return ids, labels

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _question(self, text: str) -> list[int]:
        if self._rng.random() >= SPLIT_SHARE:
            return self._ids(text)
        pieces, rest = [], text
        for word in text.split():
            if len(word) > 3 and self._rng.random() < SPLIT_WORD:
                cut = rest.index(word) + self._rng.randrange(1, len(word))
                pieces.append(rest[:cut])
                rest = rest[cut:]
        return [token for piece in (*pieces, rest) for token in self._ids(piece)]
