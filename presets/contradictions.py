"""Which wishes of a user exclude each other, or lack one another."""

from collections.abc import Iterator, Mapping

from presets import annotations as keys
from presets import forms
from presets.problems import Problem

INPUTS = (keys.TUNING_INPUT_URLS, keys.TUNING_INPUT_IMAGE, keys.TUNING_INPUT_PVC)
OUTPUTS = (keys.TUNING_OUTPUT_IMAGE, keys.TUNING_OUTPUT_PVC)
SERVING = (keys.ADAPTERS, keys.ENABLELB, keys.RUNTIME)
"""Keys that a tuning run has no use for."""


def among(texts: Mapping[str, str]) -> Iterator[tuple[str, Problem]]:
    """A key, and what is wrong with it beside the others; `texts` by key, all of them known."""
    if texts.get(keys.SERVICE) == "none" and texts.get(keys.ENABLELB) == forms.TRUE:
        message, hint = "has no effect without a Service", "remove it, or service: none"
        yield keys.ENABLELB, Problem(message, hint)
    if keys.TUNING_METHOD in texts:
        yield from _of_tuning(texts)
        return
    method = keys.short(keys.TUNING_METHOD)
    for key in texts:
        if keys.KEYS[key].is_of_tuning:
            message = f"has no effect without {method}"
            yield key, Problem(message, f"{method}: {forms.LORA} or {forms.QLORA}")


def _of_tuning(texts: Mapping[str, str]) -> Iterator[tuple[str, Problem]]:
    image, secret, method = map(
        keys.short, (keys.TUNING_OUTPUT_IMAGE, keys.TUNING_OUTPUT_PUSH_SECRET, keys.TUNING_METHOD)
    )
    one_input = f"exactly one of {', '.join(map(keys.short, INPUTS))}"
    given = [key for key in INPUTS if key in texts]
    if not given:
        yield keys.TUNING_METHOD, Problem("has no data to tune on", one_input)
    for key in given[1:]:
        yield key, Problem(f"is a second input beside {keys.short(given[0])}", one_input)
    if not any(key in texts for key in OUTPUTS):
        hint = f"{image} with {secret}, or {keys.short(keys.TUNING_OUTPUT_PVC)}"
        yield keys.TUNING_METHOD, Problem("has no place for the adapter", hint)
    pushes, has_secret = keys.TUNING_OUTPUT_IMAGE in texts, keys.TUNING_OUTPUT_PUSH_SECRET in texts
    if pushes and not has_secret:
        hint = f"{secret}: a Secret of type kubernetes.io/dockerconfigjson"
        yield keys.TUNING_OUTPUT_IMAGE, Problem("has no Secret to be pushed with", hint)
    if has_secret and not pushes:
        message = f"has no effect without {image}"
        yield keys.TUNING_OUTPUT_PUSH_SECRET, Problem(message, f"{image}: where to push to")
    for key in SERVING:
        if key in texts:
            yield key, Problem("has no effect on a tuning run", f"remove it, or {method}")
