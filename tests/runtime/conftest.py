"""A server around a scripted model, and a tiny random Llama with a tokenizer of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette import testclient

from runtime import api, service
from tests.runtime import scripted

TEMPLATE = (
    "{% for m in messages %}"
    "{% if m['role'] == 'system' and not loop.first %}"
    "{{ raise_exception('system comes first') }}{% endif %}"
    "<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture
def model() -> scripted.Scripted:
    return scripted.Scripted()


@pytest.fixture
def served(model: scripted.Scripted) -> Iterator[service.Service]:
    parts = scripted.serving(model)
    yield parts
    model.go.set()
    assert parts.running.stop(5)


@pytest.fixture
def client(served: service.Service) -> Iterator[testclient.TestClient]:
    with testclient.TestClient(api.build(served)) as opened:
        yield opened


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a random Llama of two layers with a byte-level tokenizer and a template."""
    import tokenizers  # noqa: PLC0415 - seconds to import; most tests need none of it
    import torch  # noqa: PLC0415 - as above
    import transformers  # noqa: PLC0415 - as above

    directory = tmp_path_factory.mktemp("tiny-llama")
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        ["Which city is the capital of France? Paris is."] * 4,
        vocab_size=300,
        special_tokens=["<s>", "</s>", "<user>", "<assistant>"],
        show_progress=False,
    )
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer, bos_token="<s>", eos_token="</s>"
    )
    wrapped.chat_template = TEMPLATE
    wrapped.save_pretrained(directory)
    torch.manual_seed(7)
    llama = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=300,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=128,
            bos_token_id=0,
            eos_token_id=1,
            tie_word_embeddings=False,
        )
    )
    llama.save_pretrained(directory)
    return directory
