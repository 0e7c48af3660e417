"""Batches: ids follow the chat template, labels stand on answers alone."""

from collections.abc import Iterator

import pytest
from transformers import PreTrainedTokenizerFast

from models.training import batches, corpus, vocabulary
from models.training.corpus import Corpus
from models.training.examples import Conversation, Source, Turn
from models.training.recipe import RECIPES

pytestmark = pytest.mark.slow  # what `models.training` imports takes seconds to load


@pytest.fixture(scope="module")
def taught() -> Corpus:
    recipe = RECIPES["tiny-chat"]
    return corpus.load(recipe.name, recipe.note)


@pytest.fixture(scope="module")
def tokenizer(taught: Corpus) -> Iterator[PreTrainedTokenizerFast]:
    patch = pytest.MonkeyPatch()
    patch.setattr(vocabulary, "SAMPLE_TURNS", 300)
    yield vocabulary.train(taught, 700, seed=1)
    patch.undo()


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tokenizer: PreTrainedTokenizerFast) -> batches.Encoder:
    """An encoder that splits no word and cuts no answer."""
    monkeypatch.setattr(batches, "SPLIT_SHARE", 0.0)
    monkeypatch.setattr(batches, "CUT_SHARE", 0.0)
    return batches.Encoder(tokenizer, 1)


TWO_TURNS = Conversation((Turn("hi", "Hello!"), Turn("what is a pod?", "A pod.")), "Be kind.")


def test_ids_are_those_of_the_chat_template(
    tokenizer: PreTrainedTokenizerFast, whole: batches.Encoder
) -> None:
    """What is trained is what a server sends."""
    messages = [{"role": "system", "content": TWO_TURNS.system}]
    for turn in TWO_TURNS.turns:
        messages.append({"role": "user", "content": turn.question})
        messages.append({"role": "assistant", "content": turn.answer})
    batch = whole.batch([TWO_TURNS], 512, cut=True)
    assert batch.ids[0].tolist() == tokenizer.apply_chat_template(messages)["input_ids"]


def test_labels_are_the_answers_and_their_ends_shifted_by_one(
    tokenizer: PreTrainedTokenizerFast, whole: batches.Encoder
) -> None:
    batch = whole.batch([TWO_TURNS], 512, cut=True)
    labels = batch.labels[0]
    chosen = labels[labels != batches.IGNORED]
    assert tokenizer.decode(chosen) == "Hello!<|eos|>A pod.<|eos|>"
    at = (labels != batches.IGNORED).nonzero()[:, 0]
    assert chosen.tolist() == batch.ids[0][at + 1].tolist()


def test_the_templates_answer_mask_marks_the_same_tokens(
    tokenizer: PreTrainedTokenizerFast, whole: batches.Encoder
) -> None:
    """Tuning with loss on answers alone learns the end token too."""
    turn = TWO_TURNS.turns[0]
    masked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "hi"}, {"role": "assistant", "content": turn.answer}],
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    batch = whole.batch([Conversation((turn,))], 512, cut=True)
    labelled = (batch.labels[0] != batches.IGNORED).int().tolist()
    assert masked["assistant_masks"][1:] == labelled[:-1]


def test_no_conversation_is_longer_than_the_limit(
    taught: Corpus, tokenizer: PreTrainedTokenizerFast
) -> None:
    source = Source(taught, 1)
    drawn = [source.conversation(8) for _ in range(4)]
    assert batches.Encoder(tokenizer, 1).batch(drawn, 64, cut=False).ids.shape == (4, 64)


def test_a_split_word_still_reads_the_same(
    monkeypatch: pytest.MonkeyPatch, taught: Corpus, tokenizer: PreTrainedTokenizerFast
) -> None:
    monkeypatch.setattr(batches, "SPLIT_SHARE", 1.0)
    monkeypatch.setattr(batches, "SPLIT_WORD", 1.0)
    encoder, source = batches.Encoder(tokenizer, 1), Source(taught, 2)
    for _ in range(50):
        turn = source.turn()
        ids = encoder.batch([Conversation((turn,))], 512, cut=False).ids[0]
        assert tokenizer.decode(ids).startswith(f"<|bos|><|user|>{turn.question}<|assistant|>")
