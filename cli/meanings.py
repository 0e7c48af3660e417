"""What every key and every reason code means, for `plainsail explain`.

The words come from where the key or the code is decided.
"""

import difflib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from cli import specimens
from controller import reasons as controller_reasons
from kubeapi import events
from node_provisioner import offerings, rules
from node_provisioner import reasons as planner_reasons
from presets import annotations, offers, provision_spec
from presets.sizing import reasons as sizing_reasons
from scheduler_ext import reasons as placement_reasons
from webhook import case, reasons

ANNOTATIONS_PAGE = "docs/reference/annotations.md"
REASONS_PAGE = "docs/reference/reasons.md"

_NEAREST = 3

_NOT_YET = f"this version does not act on it and refuses it ({annotations.NOT_SUPPORTED_YET})"

Fields = tuple[tuple[str, str], ...]
"""Label and text; an empty text is nothing to say."""


@dataclass(frozen=True)
class Meaning:
    """What is known of a key or of a code in one of its places."""

    name: str
    kind: str
    """`key`, or where the code is met: `refusal of the admission webhook`."""
    fields: Callable[[], Fields]
    """Asked for when shown: an example may take a decision of the webhook to be made."""


def find(name: str) -> list[Meaning]:
    """All meanings of a key, with or without prefix, or of a code; in whatever case."""
    asked = {name.lower(), f"{annotations.PREFIX}{name}".lower()}
    return [meaning for meaning in every() if meaning.name.lower() in asked]


def nearest(name: str) -> list[str]:
    """The keys and codes closest to a name, at most three."""
    known = {meaning.name.lower(): meaning.name for meaning in every()}
    short = {each.removeprefix(annotations.PREFIX): full for each, full in known.items()}
    near = difflib.get_close_matches(name.lower(), [*known, *short], n=2 * _NEAREST, cutoff=0.4)
    return list(dict.fromkeys((known | short)[each] for each in near))[:_NEAREST]


def every() -> Iterator[Meaning]:
    """Every key and every code; one that is met in several places once for each."""
    for key in annotations.KEYS.values():
        yield Meaning(key.name, "key", partial(_of_key, key))
    for outcome, codes in reasons.REASONS.items():
        for code, sentence in codes.items():
            yield Meaning(code, _OUTCOMES[outcome], partial(_of_webhook, code, sentence))
    for function, example in _of_planner():
        on = planner_reasons.ON.get(example.code, planner_reasons.ON_PODS)
        yield Meaning(example.code, f"event on {on}", partial(_of_event, function, example))
    for function, example in _of_controller():
        on = controller_reasons.ON.get(example.code, "workload")
        yield Meaning(example.code, f"event on {on}", partial(_of_event, function, example))
    for function, example in _of_extender():
        kind = "of the scheduler extender, about a node"
        yield Meaning(example.code, kind, partial(_of_event, function, example))
    for code, sentence in {**sizing_reasons.REASONS, **sizing_reasons.WARNINGS}.items():
        yield Meaning(code, "of `plainsail fit`", partial(_of_preview, sentence))
    for code, sentence in offers.REASONS.items():
        yield Meaning(code, "of `plainsail offers`", partial(_of_preview, sentence))


_OUTCOMES = {
    "denied": "refusal of the admission webhook",
    "skipped": "left alone by the admission webhook",
    "allowed": "let in by the admission webhook",
}


def _of_preview(sentence: str) -> Fields:
    return (("means", sentence), ("page", REASONS_PAGE))


def _of_key(key: annotations.Key) -> Fields:
    return (
        ("means", key.meaning),
        ("stands on", key.on if key.is_label else f"{key.on} (annotation)"),
        ("written by", f"the {key.written_by}"),
        ("takes", key.type),
        ("default", key.default),
        ("example", f"{key.name}: {key.example}"),
        ("not yet", _NOT_YET if case.is_refused_for_now(key) else ""),
        ("page", ANNOTATIONS_PAGE),
    )


def _of_webhook(code: str, sentence: str) -> Fields:
    example, hint = specimens.message(code)
    return (("means", sentence), ("example", example), ("hint", hint), ("page", REASONS_PAGE))


Made = tuple[Callable[..., events.Reason], events.Reason]
"""The function that makes a reason, whose docstring is its meaning, and one that it makes."""


def _of_planner() -> Iterator[Made]:
    why, claim = planner_reasons, "ws5f2a01c3e"
    spot = offerings.Offer("Standard_NC6s_v3", annotations.SPOT)
    offer = offerings.Offer("Standard_NC6s_v3", annotations.ON_DEMAND)
    spec, no_capacity = provision_spec.ProvisionSpec((offer.instance_type,), 2), "no capacity"
    refused = why.withdrawn("ws09c2e77b1", spot, no_capacity)
    yield why.requested, why.requested([claim], offer, "attempt 2/2", refused, None)
    yield why.awaited, why.awaited(claim, offer.instance_type)
    yield why.others_awaited, why.others_awaited()
    yield why.not_taken, why.not_taken(claim, "gpu-1")
    yield why.all_refused, why.all_refused([offer], {offer: no_capacity})
    yield why.paused, why.paused('node class "default" not found')
    yield why.cluster_limit, why.cluster_limit(100)
    yield why.namespace_limit, why.namespace_limit("team-a", 10)
    yield why.workload_limit, why.workload_limit("Deployment/chat", 5)
    yield why.price_limit, why.price_limit(offer, 9_000_000, 10_000_000)
    yield why.unpriced, why.unpriced(offerings.Offer("metal-9000", annotations.ON_DEMAND))
    yield why.gang_incomplete, why.gang_incomplete(3, 1)
    yield why.nodes_ready, why.nodes_ready(4)
    yield why.gang_waits, why.gang_waits(why.all_refused([offer], {offer: no_capacity}))
    yield why.no_gpu_asked, why.no_gpu_asked()
    yield why.no_offer, why.no_offer(spec, rules.Rules())
    yield why.unreadable, why.unreadable("the annotation is absent")
    yield why.refused, why.refused(claim, spot, no_capacity)
    yield why.given_back, why.given_back(claim, offer, 600)
    yield why.stuck, why.stuck(claim, 600)
    yield why.leaked, why.leaked("gpu-1", claim)
    yield why.blind, why.blind("/apis/karpenter.sh/v1/nodeclaims: 404 NotFound")


def _of_controller() -> Iterator[Made]:
    why = controller_reasons
    yield why.conflict, why.conflict("chat")
    yield why.no_selector, why.no_selector()
    yield why.gate_lifted, why.gate_lifted(600)
    yield why.rejected, why.rejected("chat", "metadata.name: Invalid value")


def _of_extender() -> Iterator[Made]:
    why, claim = placement_reasons, "ws5f2a01c3e"
    yield why.not_initialized, why.not_initialized(claim)
    yield why.registering, why.registering()
    yield why.claim_ending, why.claim_ending(claim)
    yield why.faulty, why.faulty("GPUMissing")
    yield why.reserved, why.reserved(claim, "default/Deployment/chat")
    yield why.not_read, why.not_read(["pods", "nodes"])


def _of_event(function: Callable[..., events.Reason], example: events.Reason) -> Fields:
    meaning = (inspect.getdoc(function) or "").rstrip(".")
    text, _, hint = example.sentence.partition("\nhint: ")
    return (
        ("means", meaning[:1].lower() + meaning[1:]),
        ("example", text),
        ("hint", hint),
        ("page", REASONS_PAGE),
    )
