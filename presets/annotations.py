"""Every label and annotation key of Plainsail: constant, meaning, values; what a user asked for."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from presets.field_errors import FieldError

PREFIX = "kaito.sh/"
"""Of every key; keys without a prefix belong to the user."""

PRESET = "kaito.sh/preset"
"""Label (or annotation, for ids that no label can hold): opt in; preset name."""
INSTANCE_TYPES = "kaito.sh/instance-types"
"""Annotation: ordered, comma-separated instance types; absent: the preset's."""
CAPACITY_TYPE = "kaito.sh/capacity-type"
"""Annotation: `on-demand` (default), `spot`, or both, comma-separated, in order."""
CONTAINER = "kaito.sh/container"
"""Annotation: which container is the model's, when the template has several."""
SERVICE = "kaito.sh/service"
"""Annotation: `none` to get no Service."""
EXPANSION = "kaito.sh/expansion"
"""Annotation written by the webhook: what was added, from which preset revision."""
STATUS = "kaito.sh/status"
"""Annotation written by the controller: phase, reason, progress, endpoint as JSON."""
PROVISION_SPEC = "kaito.sh/provision-spec"
"""Annotation written by the webhook on pods: `presets.provision_spec.ProvisionSpec` as JSON."""
MANAGED = "kaito.sh/managed"
"""Label written by the webhook on pods: `true`."""
CLAIM = "kaito.sh/claim"
"""Label written by the planner on claims, and so on their nodes: the claim's name."""
WORKLOAD_NAMESPACE = "kaito.sh/workload-namespace"
"""Label written by the planner on claims: namespace of the workload that it was bought for."""
WORKLOAD_NAME = "kaito.sh/workload-name"
"""Annotation written by the planner on claims: kind/name of the workload."""

ON_DEMAND = "on-demand"
SPOT = "spot"

# Reason codes of this module; docs/reference/reasons.md lists them all.
UNKNOWN_KEY = "UnknownKey"
MISPLACED_KEY = "MisplacedKey"
NOT_SUPPORTED_YET = "NotSupportedYet"
INVALID_VALUE = "InvalidValue"


@dataclass(frozen=True)
class Key:
    """One key: where it stands, who writes it, what it means."""

    name: str
    on: str
    """Where it stands, in the words of docs/reference/annotations.md."""
    meaning: str
    written_by: str = "user"
    """`user`, or the program of ours that writes it."""
    is_label: bool = False
    is_supported: bool = True
    """False: known, not built yet, and so refused rather than ignored."""
    shapes_pods: bool = True
    """Whether another value asks for other pods."""


def _later(name: str, on: str, meaning: str) -> Key:
    return Key(PREFIX + name, on, meaning, is_supported=False)


_WORKLOAD = "workload"
_JOB = "Job"

KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key(PRESET, "workload (label)", "opt in; the name of a preset", is_label=True),
        Key(
            INSTANCE_TYPES,
            _WORKLOAD,
            "ordered, comma-separated instance types; absent: the preset's",
        ),
        Key(
            CAPACITY_TYPE,
            _WORKLOAD,
            "`on-demand` (default), `spot`, or both, comma-separated, in order of preference",
        ),
        Key(
            CONTAINER,
            _WORKLOAD,
            "which container is the model's, when the template has several;"
            " a name that is not there is added beside them",
        ),
        Key(
            SERVICE,
            _WORKLOAD,
            "`none` to get no Service; absent: a Service of the workload's name",
            shapes_pods=False,
        ),
        Key(EXPANSION, _WORKLOAD, "what was added, and from which preset revision", "webhook"),
        Key(STATUS, _WORKLOAD, "phase, reason, progress, endpoint as JSON", "controller"),
        Key(MANAGED, "pod (label)", "`true`: the pod is one of ours", "webhook", is_label=True),
        Key(PROVISION_SPEC, "pod", "the node to buy for the pod, as JSON", "webhook"),
        Key(CLAIM, "claim, node (label)", "the claim's name", "planner", is_label=True),
        Key(
            WORKLOAD_NAMESPACE,
            "claim (label)",
            "namespace of the workload that it was bought for",
            "planner",
            is_label=True,
        ),
        Key(WORKLOAD_NAME, "claim", "kind/name of the workload", "planner"),
        _later("max-price-per-hour", _WORKLOAD, "a limit on the price per hour"),
        _later("provision", _WORKLOAD, "pods that wait behind a gate, or no node bought"),
        _later("adapters", _WORKLOAD, "adapters"),
        _later("runtime", _WORKLOAD, "a choice of model server"),
        _later("weights", _WORKLOAD, "weights from elsewhere"),
        _later("enablelb", _WORKLOAD, "a Service of type `LoadBalancer`"),
        _later("tuning-method", _JOB, "tuning"),
        _later("tuning-input-urls", _JOB, "tuning on data from URLs"),
        _later("tuning-input-image", _JOB, "tuning on data from an image"),
        _later("tuning-input-pvc", _JOB, "tuning on data from a volume claim"),
        _later("tuning-output-image", _JOB, "pushing an adapter as an image"),
        _later("tuning-output-push-secret", _JOB, "credentials for pushing an adapter"),
        _later("tuning-output-pvc", _JOB, "keeping an adapter on a volume claim"),
        _later("tuning-config", _JOB, "tuning with settings from a ConfigMap"),
    )
}
"""Every key by its name; docs/reference/annotations.md is checked against it."""


@dataclass(frozen=True)
class Request:
    """What the user asked for, parsed; nothing of it is looked up yet."""

    preset: str
    instance_types: tuple[str, ...] = ()
    """In order of preference; empty: the preset's."""
    capacity_types: tuple[str, ...] = (ON_DEMAND,)
    container: str = ""
    """Name of the model's container; empty: found by its missing image."""
    service: bool = True


def entries(meta: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    """Each key of ours in labels and annotations: (`labels` or `annotations`, key, value)."""
    for field in ("labels", "annotations"):
        held = meta.get(field)
        if isinstance(held, dict):
            for key, value in held.items():
                if isinstance(key, str) and key.startswith(PREFIX):
                    yield field, key, value


def user_keys(meta: Mapping[str, object]) -> dict[str, str]:
    """Raw text of the keys that the user wrote, unknown ones included."""
    return {key: str(value) for _, key, value in entries(meta) if _is_users(key)}


def inputs(meta: Mapping[str, object]) -> dict[str, str]:
    """Raw text of the user's keys that shape pods: other inputs ask for other pods."""
    return {
        key: text
        for key, text in user_keys(meta).items()
        if key not in KEYS or KEYS[key].shapes_pods
    }


def parse(meta: Mapping[str, object], path: str = "metadata") -> Request | list[FieldError]:
    """What the labels and annotations of a workload ask for, or everything wrong with them.

    `meta` is the workload's metadata and `path` its place, for the errors. Keys that Plainsail
    itself writes are let pass; a key of ours that is unknown, misplaced or not built yet is an
    error, never ignored.
    """
    errors: list[FieldError] = []
    texts: dict[str, str] = {}
    for field, key, value in entries(meta):
        if not _is_users(key):
            continue
        error = _key_error(field, key, value, path)
        if error is not None:
            errors.append(error)
        elif isinstance(value, str):
            texts[key] = value
    request = Request(
        preset=texts.get(PRESET, ""),
        instance_types=_names(texts.get(INSTANCE_TYPES)),
        capacity_types=_names(texts.get(CAPACITY_TYPE)) or (ON_DEMAND,),
        container=texts.get(CONTAINER, ""),
        service=texts.get(SERVICE) != "none",
    )
    errors += (
        FieldError(f"{path}.annotations[{key}]", text, INVALID_VALUE, message, hint)
        for key, text in texts.items()
        for message, hint in _value_problems(key, text)
    )
    return errors or request


def _is_users(key: str) -> bool:
    return key not in KEYS or KEYS[key].written_by == "user"


def _key_error(field: str, key: str, value: object, path: str) -> FieldError | None:
    place = f"{path}.{field}[{key}]"
    known = KEYS.get(key)
    if known is None:
        near = difflib.get_close_matches(key, _USER_KEYS, n=1, cutoff=0.6)
        hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(_BUILT_KEYS)}"
        return FieldError(
            place, value, UNKNOWN_KEY, "is the value of a key that does not exist", hint
        )
    if known.is_supported and known.is_label != (field == "labels"):
        if key == PRESET:
            hint = "set it as a label; ids that no label can hold come with a later version"
            message = "stands in an annotation, which this version does not read"
            return FieldError(place, value, NOT_SUPPORTED_YET, message, hint)
        return FieldError(
            place, value, MISPLACED_KEY, "has no effect as a label", "set it as an annotation"
        )
    if not known.is_supported:
        message = f"asks for what this version cannot do yet: {known.meaning}"
        return FieldError(place, value, NOT_SUPPORTED_YET, message, "remove the key")
    if not isinstance(value, str):
        return FieldError(place, value, INVALID_VALUE, "is not a string", "quote the value")
    return None


_USER_KEYS = tuple(key.name for key in KEYS.values() if key.written_by == "user")
_BUILT_KEYS = tuple(name for name in _USER_KEYS if KEYS[name].is_supported)
_INSTANCE_TYPE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_CONTAINER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _value_problems(key: str, text: str) -> Iterator[tuple[str, str]]:
    if key == INSTANCE_TYPES:
        hint = "for example Standard_NC6s_v3,Standard_NC24ads_A100_v4"
        yield from _list_problems(text, hint)
        if not all(_INSTANCE_TYPE.fullmatch(name) for name in _names(text)):
            yield "holds a name that no node label can hold", hint
    elif key == CAPACITY_TYPE:
        hint = f"{ON_DEMAND}, {SPOT} or {SPOT},{ON_DEMAND}"
        yield from _list_problems(text, hint)
        if not set(_names(text)) <= {ON_DEMAND, SPOT}:
            yield "is not a capacity type", hint
    elif key == CONTAINER and not _CONTAINER_NAME.fullmatch(text):
        yield "is not a container name", "at most 63 small letters, digits and dashes"
    elif key == SERVICE and text != "none":
        yield "is not a choice", "none, or leave the annotation out to get a Service"


def _list_problems(text: str, hint: str) -> Iterator[tuple[str, str]]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        yield "has an empty entry", hint
    if len(set(names)) < len(names):
        yield "names an entry twice", "each entry once, the preferred first"


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in (text or "").split(","))))
