"""What every key and every reason code means, for `plainsail explain`.

The words come from where the key or the code is decided; only the codes of `presets.offers` and
`presets.sizing`, which carry a sentence with figures and no general one, have theirs here.
"""

import difflib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from cli import specimens
from controller import reasons as controller_reasons
from kubeapi import events
from node_provisioner import offerings
from node_provisioner import reasons as planner_reasons
from presets import annotations
from webhook import reasons

ANNOTATIONS_PAGE = "docs/reference/annotations.md"
REASONS_PAGE = "docs/reference/reasons.md"
SIZING_PAGE = "docs/concepts/sizing.md"
OFFERS_PAGE = "docs/guides/preview.md"

_NEAREST = 3

_NOT_YET = f"this version does not act on it and refuses it ({annotations.NOT_SUPPORTED_YET})"

SIZING = {
    "CannotBeTuned": "the preset knows no such way of tuning",
    "CapabilityTooLow": "no kernels for the GPU: its compute capability is too low for the server"
    " or the quantization",
    "ContextShortened": "less than the model's context is served",
    "ContextTooLong": "more tokens asked for than the model has",
    "NeedsGpu": "no GPU, and the model is too large for a CPU or is to be tuned",
    "NoBfloat16": "another dtype takes the place of bfloat16",
    "OldGpu": "below compute capability 7.5: PyTorch built for CUDA 13, and vLLM, have no kernels",
    "TooFewGpus": "the preset asks for more GPUs than the machine has",
    "TooLittleMemory": "the bill is larger than the memory; the sentence names what would do and"
    " the largest part",
    "UnpackedWeights": "quantized weights are computed with in 16 bits",
    "UnservedDevice": "the model server has no build for the device",
}
"""Why a model does not fit a machine, or what to know of it there (`plainsail fit`)."""

OFFERS = {
    "AbovePriceLimit": "the machine costs more than the limit",
    "DoesNotFit": "the model does not fit the machine",
    "NoSuchCapacity": "the cloud does not sell that capacity type",
    "PriceUnknown": "there is a price limit, and no price of the machine is known",
    "RemovedInstanceType": "the cloud no longer sells the machine",
    "UnknownInstanceType": "this version does not know an instance type of that name",
    "WrongArchitecture": "its processors are not those that the image is built for",
    "WrongCloud": "another cloud sells the machine",
    "WrongVendor": "its GPUs are of a vendor that the model server has no build for",
}
"""Why a machine is no offer for a model (`plainsail offers`)."""


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
    for on, made in (("pod", _of_planner()), ("workload", _of_controller())):
        for function, example in made:
            yield Meaning(example.code, f"event on a {on}", partial(_of_event, function, example))
    for code, sentence in SIZING.items():
        yield Meaning(code, "of `plainsail fit`", partial(_plain, sentence, SIZING_PAGE))
    for code, sentence in OFFERS.items():
        yield Meaning(code, "of `plainsail offers`", partial(_plain, sentence, OFFERS_PAGE))


_OUTCOMES = {
    "denied": "refusal of the admission webhook",
    "skipped": "left alone by the admission webhook",
    "allowed": "let in by the admission webhook",
}


def _plain(sentence: str, page: str) -> Fields:
    return (("means", sentence), ("page", page))


def _of_key(key: annotations.Key) -> Fields:
    is_wish = key.written_by == "user" and not key.is_label
    return (
        ("means", key.meaning),
        ("stands on", key.on if key.is_label else f"{key.on} (annotation)"),
        ("written by", f"the {key.written_by}"),
        ("takes", key.type.replace("\\|", "|")),  # escaped for the table of the page
        ("default", key.default),
        ("example", f"{key.name}: {key.example}"),
        ("not yet", _NOT_YET if is_wish and specimens.is_refused_for_now(key) else ""),
        ("page", ANNOTATIONS_PAGE),
    )


def _of_webhook(code: str, sentence: str) -> Fields:
    example, hint = specimens.message(code)
    return (("means", sentence), ("example", example), ("hint", hint), ("page", REASONS_PAGE))


Made = tuple[Callable[..., events.Reason], events.Reason]
"""The function that makes a reason, whose docstring is its meaning, and one that it makes."""


def _of_planner() -> Iterator[Made]:
    why, claim = planner_reasons, "chat-5f2a"
    offer = offerings.Offer("Standard_NC6s_v3", annotations.ON_DEMAND)
    names = [offer.instance_type]
    yield why.requested, why.requested(claim, offer, 0, "")
    yield why.awaited, why.awaited(claim, offer.instance_type)
    yield why.all_refused, why.all_refused([offer])
    yield why.limit_reached, why.limit_reached()
    yield why.no_gpu_asked, why.no_gpu_asked()
    yield why.too_many_gpus, why.too_many_gpus(2, names)
    yield why.unreadable, why.unreadable("the annotation is absent")


def _of_controller() -> Iterator[Made]:
    why = controller_reasons
    yield why.conflict, why.conflict("chat")
    yield why.no_selector, why.no_selector()
    yield why.rejected, why.rejected("chat", "metadata.name: Invalid value")


def _of_event(function: Callable[..., events.Reason], example: events.Reason) -> Fields:
    meaning = (inspect.getdoc(function) or "").rstrip(".")
    text, _, hint = example.sentence.partition("\nhint: ")
    return (
        ("means", meaning[:1].lower() + meaning[1:]),
        ("example", text),
        ("hint", hint),
        ("page", REASONS_PAGE),
    )
