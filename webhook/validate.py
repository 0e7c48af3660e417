"""The rules that a labelled workload must keep; all run, and all problems are reported at once."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from presets import annotations, catalog, gpus, preset, runtime_args
from presets.field_errors import ABSENT, FieldError
from webhook import expand, machines, placement, podspec, reasons, workloads
from webhook.record import Record

_TEMPLATE = "spec.template"
_POD = "spec.template.spec"
_LONGEST_LABEL = 63


@dataclass(frozen=True)
class Case:
    """What the rules look at."""

    workload: dict[str, Any]
    request: annotations.Request
    catalog: catalog.Catalog
    model: preset.Preset | None
    """None where the name is unknown: rules that need it have nothing to say."""
    chosen: podspec.Chosen | None
    """None where several containers could be the model's."""
    cloud: str
    """Whose machines are taken where the user names none."""


Rule = Callable[[Case], Iterable[FieldError]]


def case(
    workload: dict[str, Any],
    known: catalog.Catalog,
    earlier: Record | None,
    cloud: str,
) -> tuple[Case, list[FieldError]]:
    """The case of a workload, and what is wrong with its keys."""
    parsed = annotations.parse(workloads.metadata(workload))
    errors = parsed if isinstance(parsed, list) else []
    label = workloads.part(workload, "metadata", "labels")[annotations.PRESET]
    request = annotations.Request(preset=str(label)) if isinstance(parsed, list) else parsed
    model = known.find(request.preset)
    recorded = earlier.container if earlier else ""
    try:
        chosen = podspec.choose(workloads.containers(workload), request.container, recorded)
    except podspec.AmbiguousContainer:
        chosen = None
    return Case(workload, request, known, model, chosen, cloud), errors


def problems(of: Case) -> list[FieldError]:
    """Everything wrong with the case."""
    return [error for rule in RULES for error in rule(of)]


def preset_is_known(of: Case) -> Iterator[FieldError]:
    """The label names a preset."""
    label = workloads.part(of.workload, "metadata", "labels")[annotations.PRESET]
    if of.model is not None or not isinstance(label, str):
        return
    near = of.catalog.nearest(of.request.preset)
    if near:
        hint = f"did you mean {' or '.join(_quoted(near))}?"
    else:
        hint = "`plainsail presets` lists them all"
    yield FieldError(
        _PRESET_PATH, of.request.preset, reasons.UNKNOWN_PRESET, "is not a preset", hint
    )


def template_has_none_of_our_keys(of: Case) -> Iterator[FieldError]:
    """Keys are read on the workload; on the pod template they would be ignored."""
    meta = workloads.part(of.workload, "spec", "template", "metadata")
    for field, key, value in annotations.entries(meta):
        known = annotations.KEYS.get(key)
        if known is not None and (known.written_by != "user" or key == annotations.PRESET):
            continue
        path = f"{_TEMPLATE}.metadata.{field}[{key}]"
        if known is None:
            near = difflib.get_close_matches(key, annotations.KEYS, n=1, cutoff=0.6)
            hint = f'did you mean "{near[0]}" on the workload?' if near else "remove the key"
            message = "is the value of a key that does not exist"
            yield FieldError(path, value, annotations.UNKNOWN_KEY, message, hint)
        else:
            message = "has no effect on the pod template"
            yield FieldError(
                path, value, annotations.MISPLACED_KEY, message, "set it on the workload itself"
            )


def model_container_is_clear(of: Case) -> Iterator[FieldError]:
    """One container is the model's."""
    if of.chosen is not None:
        return
    names = [container.get("name", "") for container in workloads.containers(of.workload)]
    yield FieldError(
        f"{_POD}.containers",
        names,
        reasons.AMBIGUOUS_CONTAINER,
        "are several containers, and none is marked as the model's",
        f"name it in the annotation {annotations.CONTAINER}, or leave out the image of that one;"
        " a name that is not there adds a container",
    )


def instance_types_are_known(of: Case) -> Iterator[FieldError]:
    """Annotation and node selector name instance types that we know the GPUs of."""
    for path, names in _instance_types_by_path(of):
        for name in names:
            if name in gpus.INSTANCE_TYPES:
                continue
            near = difflib.get_close_matches(name, _sold(), n=2, cutoff=0.7)
            hint = (
                f"did you mean {' or '.join(_quoted(near))}?"
                if near
                else f"`plainsail offers {of.request.preset}` lists those that hold the model"
            )
            message = "is not an instance type that this version knows"
            yield FieldError(path, name, reasons.UNKNOWN_INSTANCE_TYPE, message, hint)


def node_selector_agrees(of: Case) -> Iterator[FieldError]:
    """A node selector by instance type is one of those in the annotation."""
    asked, selected = of.request.instance_types, _selected(of)
    if asked and selected and selected not in asked:
        yield FieldError(
            _SELECTOR_PATH,
            selected,
            reasons.CONTRADICTING_NODE_SELECTOR,
            f"is none of {', '.join(asked)}, which {annotations.INSTANCE_TYPES} asks for",
            "drop the node selector or the annotation",
        )


def gpus_are_a_count(of: Case) -> Iterator[FieldError]:
    """The container asks for a whole number of GPUs, if for any."""
    if of.chosen is None:
        return
    try:
        placement.gpus_asked(of.chosen.found)
    except ValueError as error:
        message, hint = "is not a count of GPUs", "1 or more, without a unit"
        yield FieldError(
            _gpus_path(of.chosen), str(error), annotations.INVALID_VALUE, message, hint
        )


def instance_types_have_the_gpus(of: Case) -> Iterator[FieldError]:
    """One of the instance types has as many GPUs as the container asks for."""
    if of.chosen is None or any(gpus_are_a_count(of)):
        return
    names, count = _named(of), placement.gpus_asked(of.chosen.found) or 0
    most = max((gpus.INSTANCE_TYPES[n].gpus for n in names if n in gpus.INSTANCE_TYPES), default=0)
    if 0 < most < count:
        yield FieldError(
            _gpus_path(of.chosen),
            count,
            reasons.TOO_FEW_GPUS,
            f"is more than {' or '.join(names)} has ({most})",
            f"ask for {most}, or name larger machines in {annotations.INSTANCE_TYPES}:"
            f" `plainsail offers {of.request.preset}` lists them",
        )


def model_fits(of: Case) -> Iterator[FieldError]:
    """A machine that may be taken holds the model."""
    earlier = (instance_types_are_known, gpus_are_a_count, instance_types_have_the_gpus)
    if of.chosen is None or of.model is None or any(any(rule(of)) for rule in earlier):
        return
    pod = workloads.pod_spec(of.workload)
    found = placement.machines_of(of.model, of.request, pod, of.chosen.found, of.cloud)
    if not isinstance(found, machines.NoMachine):
        return
    path, value = _types_path(of)
    verdict = "has no machine" if path == _PRESET_PATH else f"will not do for {of.model.name}"
    yield FieldError(
        path,
        value,
        reasons.DOES_NOT_FIT,
        f"{verdict}: {'; '.join(found.sentences)}",
        f"{found.instead} holds it" if found.instead else "choose a smaller preset",
    )


def arguments_are_the_servers(of: Case) -> Iterator[FieldError]:
    """Arguments for our command are ones that it takes."""
    chosen = of.chosen
    if chosen is None or chosen.has_own_image or chosen.found.get("command"):
        return
    args = chosen.found.get("args")
    if not args:
        return
    texts = [str(arg) for arg in args]
    try:
        if _HELP.intersection(texts):
            raise runtime_args.MalformedArguments("help ends the server before it serves")  # noqa: TRY301 - one path for all of them
        runtime_args.ServeArgs.from_argv(texts)
    except runtime_args.MalformedArguments as error:
        path = f"{_POD}.containers[{chosen.name}].args"
        hint = "leave args out, or give a command too"
        message = f"are not the model server's arguments: {error}"
        yield FieldError(path, args, reasons.MALFORMED_ARGUMENTS, message, hint)


def pods_can_be_selected(of: Case) -> Iterator[FieldError]:
    """Where we make the selector, the workload's name must serve as a label."""
    labels = workloads.part(of.workload, "spec", "template", "metadata", "labels")
    if (
        workloads.kind_of(of.workload) == workloads.JOB
        or workloads.part(of.workload, "spec", "selector")
        or expand.NAME_LABEL in labels
    ):
        return
    name = workloads.metadata(of.workload).get("name")
    hint = "give spec.selector and the template's labels"
    if not name:
        message = "absent, so that no selector can be made from it"
        yield FieldError("metadata.name", ABSENT, reasons.NAME_REQUIRED, message, hint)
    elif len(name) > _LONGEST_LABEL:
        message = f"is longer than the {_LONGEST_LABEL} characters of the label made from it"
        yield FieldError("metadata.name", name, reasons.NAME_TOO_LONG, message, hint)


RULES: tuple[Rule, ...] = (
    preset_is_known,
    template_has_none_of_our_keys,
    model_container_is_clear,
    instance_types_are_known,
    node_selector_agrees,
    gpus_are_a_count,
    instance_types_have_the_gpus,
    model_fits,
    arguments_are_the_servers,
    pods_can_be_selected,
)
"""Every rule; each says in its docstring what holds when it is silent."""

_HELP = frozenset({"-h", "--help"})
_PRESET_PATH = f"metadata.labels[{annotations.PRESET}]"
_TYPES_PATH = f"metadata.annotations[{annotations.INSTANCE_TYPES}]"
_SELECTOR_PATH = f"{_POD}.nodeSelector[{placement.INSTANCE_TYPE_LABEL}]"


def _selected(of: Case) -> str:
    selector = workloads.part(of.workload, "spec", "template", "spec", "nodeSelector")
    return str(selector.get(placement.INSTANCE_TYPE_LABEL) or "")


def _instance_types_by_path(of: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield _TYPES_PATH, of.request.instance_types
    if selected := _selected(of):
        yield _SELECTOR_PATH, (selected,)


def _named(of: Case) -> tuple[str, ...]:
    """Instance types that the user names, or the author of the preset."""
    named = placement.instance_types(of.request, workloads.pod_spec(of.workload))
    return named or (of.model.instance_types if of.model else ())


def _types_path(of: Case) -> tuple[str, object]:
    """Where the instance types come from, and what stands there."""
    if of.request.instance_types:
        return _TYPES_PATH, ",".join(of.request.instance_types)
    if selected := _selected(of):
        return _SELECTOR_PATH, selected
    return _PRESET_PATH, of.request.preset


def _gpus_path(chosen: podspec.Chosen) -> str:
    return f"{_POD}.containers[{chosen.name}].resources.limits[{gpus.GPU_RESOURCE}]"


def _sold() -> list[str]:
    """Instance types that can still be had, or that this version's examples use."""
    return [
        name
        for name, machine in gpus.INSTANCE_TYPES.items()
        if machine.local or machine.status == gpus.CURRENT
    ]


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]
