"""The benchmark of admission measures what it says, quickly enough to be run here."""

import base64
from collections.abc import Callable

import jsonpatch
import orjson
import pytest

from bench import __main__ as bench
from bench import admission
from bench.comparison import handler, reviews, servers
from presets import catalog
from webhook import admit, review
from webhook.terms import Terms


@pytest.mark.parametrize("kind", admission.KINDS)
def test_what_is_measured_is_expanded(kind: str) -> None:
    asked = review.read(reviews.review(reviews.sent(kind)))
    decision = admit.admit(asked.request, Terms(catalog.load()))
    assert isinstance(decision, admit.Allowed)
    assert decision.patch


def test_the_create_has_four_kilobytes() -> None:
    assert 3900 < len(reviews.review(reviews.sent())) < 4500


def test_both_servers_give_the_same_workload() -> None:
    """The comparison may word its patch differently, not what comes of it."""
    asked = review.read(reviews.review(reviews.sent()))
    raw = orjson.loads(reviews.review(reviews.sent()))["request"]
    response = handler._response(handler.Request.model_validate(raw), catalog.load())
    decision = admit.admit(asked.request, Terms(catalog.load()))
    assert isinstance(decision, admit.Allowed)
    assert response.patch is not None
    patch = orjson.loads(base64.b64decode(response.patch))
    assert jsonpatch.apply_patch(raw["object"], patch) == decision.workload


@pytest.mark.slow
def test_every_figure_of_the_servers_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures themselves depend on the machine; the real API server is left out."""
    for name, count in {"ROUNDS": 1, "REQUESTS": 30, "WARM_UP": 3, "PASSES": 2, "CALLS": 5}.items():
        monkeypatch.setattr(admission, name, count)
    monkeypatch.setattr(admission, "MEMORY_REQUESTS", 20)
    monkeypatch.setattr(servers.Server, "cpu_seconds", _counter())
    monkeypatch.setattr(admission, "_creates", lambda _: [])
    assert [figure.name for figure in admission.run() if figure.goal] == [
        "CREATE through TLS, asked again: CPU of the server",
        "CREATE through TLS, of a new object: CPU of the server",
        "times less than the comparison, asked again",
        "times less than the comparison, of a new object",
        *(f"expand, {kind}" for kind in admission.KINDS),
        "memory: growth over 100,000 requests",
    ]


def _counter() -> Callable[[servers.Server], float]:
    """A clock that always goes on, as 30 requests may take less than its 10 ms."""
    ticks = iter(range(10_000))
    return lambda _: float(next(ticks))


def test_it_can_be_called_by_its_name() -> None:
    assert "admission" in bench.BENCHMARKS
