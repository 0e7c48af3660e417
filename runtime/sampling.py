"""How the next token is chosen: what a request, a model and a surface say, made into one value.

Order of precedence: the request, the model's generation config, the surface's default.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sampling:
    """One sequence's choices, complete."""

    max_tokens: int
    """Tokens to generate at most."""
    temperature: float = 0.0
    """0 takes the most probable token."""
    top_p: float = 1.0
    top_k: int = 0
    """0 keeps all."""
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    """Equal seeds give equal answers; None draws a new one."""
    extra_eos_ids: frozenset[int] = field(default=frozenset())
    """Token ids that end this answer besides the model's own."""

    @property
    def greedy(self) -> bool:
        """Whether nothing is drawn: equal prompts give equal answers."""
        return self.temperature == 0.0


@dataclass(frozen=True)
class Wishes:
    """What one party says about sampling; None where it is silent."""

    do_sample: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    """-1 and 0 both keep all."""
    repetition_penalty: float | None = None


OPENAI = Wishes(do_sample=True, temperature=1.0, top_p=1.0, top_k=0, repetition_penalty=1.0)
"""Defaults of `/v1/chat/completions`. Source: OpenAI API reference, `temperature`, `top_p`."""
KAITO = Wishes(do_sample=True, temperature=1.0, top_p=1.0, top_k=10, repetition_penalty=1.0)
"""Defaults of `/chat`. Source: KAITO v0.3.0 presets/inference/text-generation/inference_api.py."""


def choose(asked: Wishes, model: Wishes, surface: Wishes, *, max_tokens: int) -> Sampling:
    """The sampling of one request; `surface` says everything.

    A temperature in the request asks for sampling even of a model that is greedy by its own
    config; `do_sample: false` in the request makes any temperature greedy.
    """
    parties = (asked, model, surface)
    top_k = next(p.top_k for p in parties if p.top_k is not None)
    return Sampling(
        max_tokens=max_tokens,
        temperature=_temperature(parties),
        top_p=next(p.top_p for p in parties if p.top_p is not None),
        top_k=max(0, top_k),
        repetition_penalty=next(
            p.repetition_penalty for p in parties if p.repetition_penalty is not None
        ),
    )


def _temperature(parties: tuple[Wishes, Wishes, Wishes]) -> float:
    """The first temperature said, unless a party at or before it says not to sample."""
    for party in parties:
        if party.do_sample is False:
            return 0.0
        if party.temperature is not None:
            return party.temperature
        if party.do_sample:  # sampling is asked for: a later party's `false` is overruled
            break
    return next(p.temperature for p in parties if p.temperature is not None)
