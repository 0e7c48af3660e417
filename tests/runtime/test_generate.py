"""The engine `generate` against transformers itself, on a tiny random Llama."""

import threading
from pathlib import Path

import pytest

from runtime import chat, engine, sampling, sequence
from tests.runtime import scripted

MESSAGES: list[chat.Message] = [{"role": "user", "content": "Which city?"}]


@pytest.fixture(scope="module")
def generator(tiny_llama: Path) -> engine.Model:
    from runtime import generate, loading  # noqa: PLC0415 - torch: seconds to import

    loaded = loading.load(tiny_llama, dtype="float32", context_tokens=0, cpus=1)
    return generate.Generator(loaded)


def tokens(generator: engine.Model, chosen: sampling.Sampling) -> list[int]:
    taken: list[int] = []

    def take(token: int) -> bool:
        taken.append(token)
        return False

    generator.generate(chat.prompt(generator.tokenizer, MESSAGES).ids, chosen, take)
    return taken


def test_greedy_is_what_transformers_generates(generator: engine.Model, tiny_llama: Path) -> None:
    import torch  # noqa: PLC0415 - as above
    import transformers  # noqa: PLC0415 - as above

    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_llama)
    prompt = tokenizer.apply_chat_template(
        MESSAGES, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        whole = model.generate(**prompt, do_sample=False, max_new_tokens=24)
    expected = whole[0, prompt["input_ids"].shape[1] :].tolist()
    assert tokens(generator, sampling.Sampling(max_tokens=24)) == expected
    assert len(expected) > 1


def test_equal_seeds_give_equal_answers_and_others_do_not(generator: engine.Model) -> None:
    def drawn(seed: int | None) -> list[int]:
        return tokens(generator, sampling.Sampling(max_tokens=16, temperature=1.0, seed=seed))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(None) != drawn(None)


def test_top_k_of_one_is_greedy(generator: engine.Model) -> None:
    one = sampling.Sampling(max_tokens=16, temperature=5.0, top_k=1)
    assert tokens(generator, one) == tokens(generator, sampling.Sampling(max_tokens=16))


def test_a_verdict_ends_generation_at_once(generator: engine.Model) -> None:
    taken: list[int] = []

    def take(token: int) -> bool:
        taken.append(token)
        return len(taken) == 3

    generator.generate([5, 6], sampling.Sampling(max_tokens=50), take)
    assert len(taken) == 3


def test_every_end_id_ends_generation(
    generator: engine.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy = tokens(generator, sampling.Sampling(max_tokens=8))
    monkeypatch.setattr(generator, "eos_ids", frozenset({1, greedy[2]}))
    ended = tokens(generator, sampling.Sampling(max_tokens=8))
    assert ended == greedy[: greedy.index(greedy[2]) + 1]


def test_the_engine_streams_the_decoded_text(generator: engine.Model) -> None:
    parts = scripted.serving(generator)
    events: list[sequence.Event] = []
    ended = threading.Event()

    def take(event: sequence.Event) -> None:
        events.append(event)
        if isinstance(event, sequence.Finished):
            ended.set()

    prompt = chat.prompt(generator.tokenizer, MESSAGES)
    item = sequence.Sequence(prompt, sampling.Sampling(max_tokens=24), take)
    parts.running.submit(item)
    assert ended.wait(20)
    assert parts.running.stop(5)
    text = "".join(e.text for e in events if isinstance(e, sequence.Delta))
    ids = [t for t in tokens(generator, sampling.Sampling(max_tokens=24)) if t != 1]
    assert text.replace("\ufffd", "") == generator.decode(ids).replace("\ufffd", "")
