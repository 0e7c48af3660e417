"""The queue: order, limits, cancelling, and exactly one end for every sequence."""

import queue
import threading
import time
from collections.abc import Callable

import pytest

from runtime import engine, health, sampling, sequence, service
from tests.runtime import scripted


def ask(text: str = "hi", *, max_tokens: int = 100, stop: tuple[str, ...] = ()) -> "Asked":
    return Asked(text, sampling.Sampling(max_tokens=max_tokens, stop=stop))


class Asked:
    """A sequence and the events it got."""

    def __init__(self, text: str, chosen: sampling.Sampling) -> None:
        self.events: queue.SimpleQueue[sequence.Event] = queue.SimpleQueue()
        prompt = sequence.Prompt(tuple(map(ord, text)))
        self.sequence = sequence.Sequence(prompt, chosen, self.events.put)

    def answer(self) -> tuple[str, sequence.Event]:
        text = ""
        while isinstance(event := self.events.get(timeout=5), sequence.Delta):
            text += event.text
        return text, event


def test_an_answer_is_its_text_and_one_end(served: service.Service) -> None:
    one = ask()
    served.running.submit(one.sequence)
    assert one.answer() == ("Hello.", sequence.Finished("stop", 7))
    assert one.events.empty()


def test_the_token_limit_ends_an_answer(served: service.Service) -> None:
    one = ask(max_tokens=3)
    served.running.submit(one.sequence)
    assert one.answer() == ("Hel", sequence.Finished("length", 3))


def test_a_stop_string_ends_an_answer(served: service.Service) -> None:
    one = ask(stop=("lo",))
    served.running.submit(one.sequence)
    assert one.answer() == ("Hel", sequence.Finished("stop", 5))


def test_tokens_after_the_last_are_dropped(
    served: service.Service, model: scripted.Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU's loop in transformers looks a step late ; the answer must not show it."""

    def overrun(ids: object, chosen: object, taken: Callable[[int], bool]) -> None:
        del ids, chosen
        for token in (ord("a"), scripted.EOS, ord("b")):
            taken(token)

    monkeypatch.setattr(model, "generate", overrun)
    one = ask()
    served.running.submit(one.sequence)
    assert one.answer() == ("a", sequence.Finished("stop", 2))


def test_sequences_are_answered_in_the_order_they_came(
    served: service.Service, model: scripted.Scripted
) -> None:
    several = [ask(str(n)) for n in range(5)]
    for one in several:
        served.running.submit(one.sequence)
    for one in several:
        assert one.answer()[0] == "Hello."
    assert [text for text, _ in model.asked] == list("01234")


def test_cancelling_stops_at_the_next_token(
    served: service.Service, model: scripted.Scripted
) -> None:
    model.go.clear()
    one = ask()
    served.running.submit(one.sequence)
    assert model.began.wait(5)
    one.sequence.cancel()
    model.go.set()
    assert one.answer()[1] == sequence.Finished("aborted", 1)


def test_a_full_queue_refuses_until_a_place_is_free(model: scripted.Scripted) -> None:
    running = scripted.serving(model, waiting_limit=2).running
    model.go.clear()
    first, second, third, fourth, fifth = (ask() for _ in range(5))
    running.submit(first.sequence)
    assert model.began.wait(5)
    running.submit(second.sequence)
    running.submit(third.sequence)
    with pytest.raises(engine.QueueFull) as refused:
        running.submit(fourth.sequence)
    assert refused.value.retry_after_seconds >= 1
    third.sequence.cancel()
    assert running.waiting == 1
    running.submit(fifth.sequence)
    assert third.answer() == ("", sequence.Finished("aborted", 0))
    model.go.set()
    assert [one.answer()[0] for one in (first, second, fifth)] == ["Hello."] * 3
    assert fourth.events.empty()
    assert running.stop(5)


def test_a_sequence_cancelled_before_its_turn_costs_no_token(
    served: service.Service, model: scripted.Scripted
) -> None:
    model.go.clear()
    first, second = ask("1"), ask("2")
    served.running.submit(first.sequence)
    served.running.submit(second.sequence)
    second.sequence.cancel()
    model.go.set()
    assert first.answer()[0] == "Hello."
    assert second.answer() == ("", sequence.Finished("aborted", 0))
    assert [text for text, _ in model.asked] == ["1"]


def test_a_load_that_fails_is_kept_and_told() -> None:
    state, told = health.Health(), threading.Event()
    broken = RuntimeError("no weights")

    def load() -> engine.Model:
        raise broken

    running = engine.Engine(load, state, waiting_limit=1, ended=told.set)
    running.start()
    assert told.wait(5)
    assert (running.failure, running.model, state.phase) == (broken, None, "failed")


def test_stopping_is_bounded_even_while_the_model_loads() -> None:
    loading = threading.Event()

    def load() -> engine.Model:
        loading.wait(10)
        return scripted.Scripted()

    running = engine.Engine(load, health.Health(), waiting_limit=1)
    running.start()
    began = time.monotonic()
    assert not running.stop(0.05)
    assert time.monotonic() - began < 1
    loading.set()
    assert running.stop(5)


def test_a_failure_of_one_sequence_leaves_the_next_alone(
    served: service.Service, model: scripted.Scripted
) -> None:
    model.broken = RuntimeError("out of memory")
    one, two = ask(), ask()
    served.running.submit(one.sequence)
    assert isinstance(one.answer()[1], sequence.Failed)
    model.broken = None
    served.running.submit(two.sequence)
    assert two.answer()[0] == "Hello."
