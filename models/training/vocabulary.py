"""The tokenizer: byte-level BPE trained on the models' own questions and answers."""

from collections.abc import Iterator

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from models.training.corpus import Corpus
from models.training.examples import Source

PAD, BOS, EOS, SYSTEM, USER, ASSISTANT = (
    "<|pad|>",
    "<|bos|>",
    "<|eos|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
)
CHAT_TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{%- if message.role == 'assistant' %}"
    "{{- '<|assistant|>' }}"
    "{% generation %}{{- message.content | trim }}{{- eos_token }}{% endgeneration %}"
    "{%- elif message.role in ('user', 'system') %}"
    "{{- '<|' + message.role + '|>' + message.content | trim }}"
    "{%- else %}"
    "{{- raise_exception('unknown role: ' + message.role) }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
)
"""The end token stands inside `generation`, so that tuning on answers alone learns to stop."""
SAMPLE_TURNS = 30_000
"""Questions that the merges are learned from."""


def train(corpus: Corpus, size: int, seed: int) -> PreTrainedTokenizerFast:
    """A tokenizer of exactly `size` tokens with a chat template; equal seeds give equal merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[PAD, BOS, EOS, SYSTEM, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(corpus, seed), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        extra_special_tokens=[SYSTEM, USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def _texts(corpus: Corpus, seed: int) -> Iterator[str]:
    source = Source(corpus, seed)
    for _ in range(SAMPLE_TURNS):
        yield source.turn().question
    for intent in corpus.intents:
        for _ in range(20):
            yield intent.answer
    yield from corpus.manners.systems
