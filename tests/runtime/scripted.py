"""A model without torch that says what it is told to, and a server's parts around one."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from runtime import engine, health, sampling, service

EOS = 0


class Characters:
    """A tokenizer whose tokens are characters."""

    def __init__(self, chat_template: str | None) -> None:
        self.chat_template = chat_template

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [ord(c) for c in text]}

    def apply_chat_template(self, conversation: Sequence[Any], **_: object) -> list[int]:
        turns = "".join(f"<{m['role']}>{m['content']}" for m in conversation)
        return self(turns + "<assistant>")["input_ids"]


class Scripted:
    """A model that says `says` whatever it is asked, a character per token, then ends."""

    def __init__(self, says: str = "Hello.", *, template: bool = True, context: int = 1000) -> None:
        self.says = says
        self.tokenizer = Characters("template" if template else None)
        self.context_tokens = context
        self.eos_ids = frozenset({EOS})
        self.wishes = sampling.Wishes()
        self.new_tokens: int | None = None
        self.go = threading.Event()
        """Generation waits for it before every token."""
        self.go.set()
        self.began = threading.Event()
        self.asked: list[tuple[str, sampling.Sampling]] = []
        self.produced = 0
        self.broken: Exception | None = None

    def decode(self, ids: list[int]) -> str:
        return "".join(chr(i) for i in ids)

    def generate(
        self, ids: Sequence[int], chosen: sampling.Sampling, taken: Callable[[int], bool]
    ) -> None:
        if list(ids) == [ord("a")]:  # the engine's warm-up
            return
        self.asked.append((self.decode(list(ids)), chosen))
        self.began.set()
        if self.broken:
            raise self.broken
        for token in [*map(ord, self.says), EOS][: chosen.max_tokens]:
            assert self.go.wait(10)
            self.produced += 1
            if taken(token):
                return


def serving(model: engine.Model, *, waiting_limit: int = 8) -> service.Service:
    """The parts of a server around a model that is loaded already."""
    state = health.Health()
    running = engine.Engine(lambda: model, state, waiting_limit=waiting_limit)
    served = service.Service(running, state, "tiny", 10_000, now=lambda: 1_700_000_000.5)
    running.start()
    for _ in range(1000):
        if state.ready:
            break
        threading.Event().wait(0.002)
    assert state.ready
    return served
