"""What a user asks for in labels and annotations: `parse` reads a `Request`, `render` writes it."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from presets import annotations, contradictions, syntax
from presets.field_errors import FieldError
from presets.problems import WHOLE, MalformedValue, Problem
from presets.request import Request, Tuning


def parse(meta: Mapping[str, object], path: str = "metadata") -> Request | list[FieldError]:
    """What the labels and annotations of a workload ask for, or everything wrong with them.

    `meta` is the workload's metadata and `path` its place, for the errors. Keys that Plainsail
    itself writes are let pass; a key of ours that is unknown or misplaced is an error, never
    ignored. The preset stands in the label, or where no label can hold it in the annotation of
    the same name; the label is then absent or empty.
    """
    errors: list[FieldError] = []
    texts: dict[str, str] = {}
    values: dict[str, Any] = {}
    for field, key, value in annotations.entries(meta):
        if not annotations.is_users(key):
            continue
        place = f"{path}.{field}[{key}]"
        known = annotations.KEYS.get(key)
        if known is None or known.form is None or not isinstance(value, str):
            errors.append(_key_error(key, value, place))
        elif field == "labels" and not known.is_label:
            errors.append(_misplaced(value, place))
        elif key in texts and value != texts[key] != "":
            errors.append(_second_preset(texts[key], value, place))
        else:
            texts[key] = value
            try:
                values[key] = known.form.read(value)
            except MalformedValue as error:
                errors += (_field_error(place, value, problem) for problem in error.problems)
    for key, problem in contradictions.among(texts):
        errors.append(_field_error(f"{path}.annotations[{key}]", texts[key], problem))
    return errors or _request(values)


def render(asked: Request) -> dict[str, dict[str, str]]:
    """Labels and annotations that ask for it: `parse(render(asked)) == asked`.

    What is as it would be anyway is left out.
    """
    labels, noted = {}, {}
    for key, value in _wishes(asked):
        noted[key.name] = key.form.write(value) if key.form else ""
    if annotations.PRESET in noted and syntax.is_label_value(asked.preset):
        labels[annotations.PRESET] = noted.pop(annotations.PRESET)
    return {"labels": labels, "annotations": noted}


def _wishes(asked: Request) -> Iterator[tuple[annotations.Key, object]]:
    """Keys of the user with the values that differ from the default."""
    for key in annotations.KEYS.values():
        holder = asked.tuning if key.is_of_tuning else asked
        if key.form is not None and holder is not None:
            value = getattr(holder, key.field)
            if value != getattr(type(holder), key.field, ""):
                yield key, value


def _request(values: Mapping[str, Any]) -> Request:
    """The request with those values by key."""
    wished: dict[str, Any] = {"preset": ""}
    tuned: dict[str, Any] = {}
    for name, value in values.items():
        key = annotations.KEYS[name]
        (tuned if key.is_of_tuning else wished)[key.field] = value
    return Request(**wished, tuning=Tuning(**tuned) if tuned else None)


def _field_error(place: str, text: str, problem: Problem) -> FieldError:
    value = text if problem.value is WHOLE else problem.value
    return FieldError(
        place + problem.at, value, annotations.INVALID_VALUE, problem.message, problem.hint
    )


def _key_error(key: str, value: object, place: str) -> FieldError:
    if key in annotations.KEYS:
        return FieldError(
            place, value, annotations.INVALID_VALUE, "is not a string", "quote the value"
        )
    users = [key.name for key in annotations.KEYS.values() if key.form is not None]
    near = difflib.get_close_matches(key, users, n=1, cutoff=0.6)
    shorts = ", ".join(map(annotations.short, users))
    hint = f'did you mean "{near[0]}"?' if near else f"known under {annotations.PREFIX}: {shorts}"
    return FieldError(
        place, value, annotations.UNKNOWN_KEY, "is the value of a key that does not exist", hint
    )


def _misplaced(value: str, place: str) -> FieldError:
    message, hint = "has no effect as a label", "set it as an annotation"
    return FieldError(place, value, annotations.MISPLACED_KEY, message, hint)


def _second_preset(label: str, value: str, place: str) -> FieldError:
    message, hint = f'is another preset than the label\'s "{label}"', "name one of them"
    return FieldError(place, value, annotations.INVALID_VALUE, message, hint)
