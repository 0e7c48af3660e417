"""What was decided before is told again, and only where the question is the same."""

import base64
import random
from typing import Any

import orjson
import pytest

from presets import annotations, catalog
from tests import builders
from webhook import admit, decisions, review
from webhook.terms import Terms

TERMS = Terms(catalog.load())
SEEDS = range(200)


def asked(new: dict[str, Any], old: dict[str, Any] | None = None) -> review.Review:
    operation = admit.CREATE if old is None else admit.UPDATE
    request = admit.AdmissionRequest(operation, new, old)
    return review.Review("u", request, new["kind"], "default", new["metadata"]["name"])


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the objects that are decided on from now on."""
    names: list[str] = []

    def decide(request: admit.AdmissionRequest, terms: Terms) -> admit.Decision:
        names.append(request.object["metadata"]["name"])
        return real(request, terms)

    real = admit.admit
    monkeypatch.setattr(admit, "admit", decide)
    return names


def bent(workload: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The same with what the API server writes for itself."""
    meta = {
        **workload["metadata"],
        "uid": f"uid-{draw.random()}",
        "resourceVersion": str(draw.randrange(1000)),
        "generation": draw.randrange(9),
        "creationTimestamp": draw.choice([None, "2026-01-01T00:00:00Z"]),
        "managedFields": [{"manager": "kubectl", "time": str(draw.random())}],
    }
    return {**workload, "metadata": meta, "status": {"replicas": draw.randrange(3)}}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_api_server_keeps_for_itself_changes_no_decision(seed: int) -> None:
    """So that a question may be recognised without it; on CREATE and on UPDATE."""
    draw, workload = random.Random(seed), builders.anyhow(seed)
    plain = decisions.Decisions(TERMS).of(asked(workload))
    assert decisions.Decisions(TERMS).of(asked(bent(workload, draw))) == plain
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, workload), TERMS)
    assert isinstance(decision, admit.Allowed)
    for new in (workload, decision.workload, {**workload, "spec": decision.workload["spec"]}):
        update = asked(new, decision.workload)
        again = asked(bent(new, draw), bent(decision.workload, draw))
        one, other = (decisions.Decisions(TERMS).of(each) for each in (update, again))
        assert one == other


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_was_asked_before_the_answer_is_that_of_admission(seed: int) -> None:
    """Kept answers are of this question: one memory for questions that differ in one place."""
    memory, draw = decisions.Decisions(TERMS), random.Random(seed)
    for _ in range(6):
        workload = builders.anyhow(seed + draw.randrange(2))
        if draw.random() < 0.5:
            key, value = draw.choice([("a", "b"), (annotations.SERVICE, "none")])
            workload["metadata"].setdefault("annotations", {})[key] = value
        question = asked(workload)
        expected = review.response(question, admit.admit(question.request, TERMS))
        assert memory.of(question).response == expected


def test_the_same_question_is_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names = counted(monkeypatch)
    memory = decisions.Decisions(TERMS)
    draw = random.Random(1)
    first, *others = [
        memory.of(asked(bent(builders.deployment("a").preset().build(), draw))) for _ in range(3)
    ]
    assert others == [first] * 2
    assert names == ["a"]
    operations = orjson.loads(base64.b64decode(first.response["patch"]))
    assert any(operation["path"] == "/spec" for operation in operations)
    assert (first.outcome, first.codes) == ("allowed", ("Expanded",))


def test_a_refusal_is_made_anew_with_the_name_of_its_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = counted(monkeypatch)
    memory = decisions.Decisions(TERMS)
    refused = builders.deployment("a").preset("no-such").build()
    first, second = (memory.of(asked(refused)) for _ in range(2))
    assert (first, first.outcome) == (second, "denied")
    assert first.response["status"]["details"]["name"] == "a"
    assert names == ["a", "a"]


def test_what_was_asked_last_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the bytes that are given; what alone is too large is never kept."""
    names = counted(monkeypatch)
    memory = decisions.Decisions(TERMS, most_bytes=16_000)
    by_name = {name: asked(builders.deployment(name).preset().build()) for name in "abcd"}
    for name in "abcda":
        memory.of(by_name[name])
    memory.of(by_name["d"])
    assert names == ["a", "b", "c", "d", "a"]
    large = builders.deployment("large").preset().annotation("example.com/a", "x" * 70_000)
    for _ in range(2):
        memory.of(asked(large.build()))
    assert names[5:] == ["large", "large"]
    memory.of(by_name["a"])
    assert len(names) == 7
