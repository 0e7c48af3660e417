"""The rules that a labelled workload must keep; all run, and all problems are reported at once."""

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from presets import annotations, catalog, forms, gpus, money, preset, runtime_args, sources
from presets.field_errors import ABSENT, FieldError
from webhook import (
    expand,
    keys,
    machines,
    node_rules,
    placement,
    podspec,
    reasons,
    weights,
    workloads,
)
from webhook.record import Record

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
    image_volumes: bool = True
    """The cluster mounts images."""


Rule = Callable[[Case], Iterable[FieldError]]


def case(
    workload: dict[str, Any],
    known: catalog.Catalog,
    earlier: Record | None,
    cloud: str,
    *,
    image_volumes: bool = True,
) -> tuple[Case, list[FieldError]]:
    """The case of a workload, and what is wrong with its keys."""
    parsed, errors = asked(workload)
    request = parsed or annotations.Request(preset=str(keys.preset_of(workload)))
    model = known.find(request.preset)
    recorded = earlier.container if earlier else ""
    try:
        chosen = podspec.choose(workloads.containers(workload), request.container, recorded)
    except podspec.AmbiguousContainer:
        chosen = None
    return Case(workload, request, known, model, chosen, cloud, image_volumes), errors


def asked(workload: dict[str, Any]) -> tuple[annotations.Request | None, list[FieldError]]:
    """What the keys of a workload ask for, and what is wrong with them.

    Keys that admission does not act on yet are refused, whatever their value, and the others are
    read without them; None where one of those is wrong.
    """
    left = keys.of(workload)
    later = [entry for entry in annotations.entries(left) if _is_later(*entry[:2])]
    for field, key, _ in later:
        left = {**left, field: {name: at for name, at in left[field].items() if name != key}}
    parsed = annotations.parse(left)
    kind = workloads.kind_of(workload)
    errors = [keys.located(workload, _refused(kind, *entry)) for entry in later]
    if isinstance(parsed, list):
        return None, errors + [keys.located(workload, error) for error in parsed]
    return parsed, errors


def problems(of: Case) -> list[FieldError]:
    """Everything wrong with the case."""
    return [error for rule in RULES for error in rule(of)]


def preset_is_known(of: Case) -> Iterator[FieldError]:
    """The label names a preset."""
    label = keys.preset_of(of.workload)
    if of.model is not None or not isinstance(label, str):
        return
    near = of.catalog.nearest(of.request.preset)
    if near:
        hint = f"did you mean {' or '.join(_quoted(near))}?"
    else:
        hint = "`plainsail presets` lists them all"
    yield FieldError(
        _preset_path(of), of.request.preset, reasons.UNKNOWN_PRESET, "is not a preset", hint
    )


def template_has_no_key_that_is_not_read(of: Case) -> Iterator[FieldError]:
    """Keys on the pod template are read where the label stands there alone, and by admission."""
    are_read = keys.are_on_template(of.workload)
    meta = workloads.metadata(workloads.pod_template(of.workload))
    for field, key, value in annotations.entries(meta):
        known = annotations.KEYS.get(key)
        if known is not None and (known.written_by != "user" or key == annotations.PRESET):
            continue
        path = f"{keys.TEMPLATE}.metadata.{field}[{key}]"
        if are_read and (known is None or known.shapes_pods):
            yield from _said_twice(of, field, key, value)
        elif known is None:
            near = difflib.get_close_matches(key, annotations.KEYS, n=1, cutoff=0.6)
            hint = f'did you mean "{near[0]}" on the workload?' if near else "remove the key"
            message = "is the value of a key that does not exist"
            yield FieldError(path, value, annotations.UNKNOWN_KEY, message, hint)
        else:
            message = "has no effect on the pod template"
            yield FieldError(
                path, value, annotations.MISPLACED_KEY, message, "set it on the workload itself"
            )


def presets_agree(of: Case) -> Iterator[FieldError]:
    """Workload and pod template name the same preset, where both name one."""
    meta = workloads.metadata(workloads.pod_template(of.workload))
    own = keys.preset_of(of.workload)
    other = workloads.part(meta, "labels").get(annotations.PRESET, own)
    if other == own or of.catalog.find(str(other)) is of.catalog.find(str(own)) is not None:
        return
    path = f"{keys.TEMPLATE}.{_PRESET_PATH}"
    message, hint = f'is another preset than the workload\'s "{own}"', "name one of them"
    yield FieldError(path, other, annotations.INVALID_VALUE, message, hint)


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
    if of.chosen is None or of.model is None or any(_unclear(of)):
        return
    found = _machines(of, of.model, of.chosen, limit=None)
    if not isinstance(found, machines.NoMachine):
        return
    path, value = _types_path(of)
    verdict = "has no machine" if path == _preset_path(of) else f"will not do for {of.model.name}"
    yield FieldError(
        path,
        value,
        reasons.DOES_NOT_FIT,
        f"{verdict}: {'; '.join(found.sentences)}",
        f"{found.instead} holds it" if found.instead else "choose a smaller preset",
    )


def price_is_within_the_limit(of: Case) -> Iterator[FieldError]:
    """A machine that holds the model costs no more than the user pays."""
    limit = of.request.most_per_hour
    if limit is None or of.chosen is None or of.model is None or any(_unclear(of)):
        return
    found = _machines(of, of.model, of.chosen, limit)
    able = _machines(of, of.model, of.chosen, limit=None)
    if isinstance(found, machines.Machines) or isinstance(able, machines.NoMachine):
        return
    bought = of.request.capacity_types
    costs = ", ".join(f"{name} {machines.priced(name, bought)}" for name in able.names)
    path, shown = _path(of, annotations.MAX_PRICE_PER_HOUR), money.decimal_text(limit)
    if machines.are_priced(able.names, bought):
        code, message = (
            reasons.ABOVE_PRICE_LIMIT,
            f"is less than any machine for {of.model.name} costs: {costs}",
        )
    else:
        code = reasons.PRICE_UNKNOWN
        message = f"cannot be kept: no price is known of {' or '.join(able.names)}"
    yield FieldError(path, shown, code, message, _affordable(of, of.model, limit))


def node_rules_let_the_pods_in(of: Case) -> Iterator[FieldError]:
    """The user's own node selector and affinity let the pods onto the nodes meant for them."""
    pod = workloads.pod_spec(of.workload)
    if of.chosen is None or of.model is None or not node_rules.are_any(pod) or any(_unclear(of)):
        return
    found = _machines(of, of.model, of.chosen, of.request.most_per_hour)
    if isinstance(found, machines.NoMachine) or not found.names:
        return
    nodes = [node_rules.labels(n, c) for n in found.names for c in of.request.capacity_types]
    unmatched = [set(node_rules.unmatched(pod, node)) for node in nodes]
    for key in sorted(set.intersection(*unmatched)):
        there = " or ".join(dict.fromkeys(node[key] for node in nodes))
        path, value = f"{_POD}.nodeSelector[{key}]", workloads.part(pod, "nodeSelector")[key]
        message = f"matches no node of {' or '.join(found.names)}: there it is {there}"
        code = reasons.CONTRADICTING_NODE_SELECTOR
        yield FieldError(path, value, code, message, _otherwise(key))
    if not any(node_rules.is_let_in(pod, node) for node in nodes):
        path = f"{_POD}.affinity.nodeAffinity.{placement.REQUIRED}.nodeSelectorTerms"
        message = f"lets in no node of {' or '.join(found.names)}"
        hint = f"let it match one of them, or say in {annotations.INSTANCE_TYPES} what it lets in"
        value = node_rules.terms(pod)
        yield FieldError(path, value, reasons.CONTRADICTING_AFFINITY, message, hint)


def tolerations_are_for_gpus(of: Case) -> Iterator[FieldError]:
    """A toleration with the key of a GPU taint tolerates that taint."""
    pod = workloads.pod_spec(of.workload)
    for place, taint in node_rules.wrong_tolerations(pod):
        path, value = f"{_POD}.tolerations[{place}]", pod["tolerations"][place]
        message = f"does not tolerate {taint}, which GPU nodes are tainted with"
        hint = "mend it, or leave tolerations out"
        yield FieldError(path, value, reasons.CONTRADICTING_TOLERATION, message, hint)


def provision_is_possible(of: Case) -> Iterator[FieldError]:
    """Nobody lifts a scheduling gate yet; pods that carry the preset's label are the planner's."""
    asked, path = of.request.provision, _path(of, annotations.PROVISION)
    if asked == forms.GATE:
        message = "asks for what this version cannot do yet: pods that wait behind a gate"
        hint = "remove the key, or off"
        yield FieldError(path, asked, annotations.NOT_SUPPORTED_YET, message, hint)
    elif asked == forms.OFF and keys.are_on_template(of.workload):
        message = "asks for what this version cannot do yet where pods carry the label"
        hint = f"set the label {annotations.PRESET} on the workload instead"
        yield FieldError(path, asked, annotations.NOT_SUPPORTED_YET, message, hint)


def weights_image_is_named(of: Case) -> Iterator[FieldError]:
    """Weights from an image come from one that the user names, with the path if it is copied."""
    source, path = of.request.weights, _path(of, annotations.WEIGHTS)
    if source.kind == sources.IMAGE and not source.name:
        message = "names no image, and this version knows none of the preset's weights"
        hint = "image:REF, image:REF:TAG/path, pvc:NAME or hub"
        yield FieldError(path, sources.IMAGE, annotations.NOT_SUPPORTED_YET, message, hint)
    elif source.kind == sources.IMAGE and not source.path and not of.image_volumes:
        message = "names no directory, and this cluster copies weights out of images"
        hint = "image:REF:TAG/path"
        text = sources.write_weights(source)
        yield FieldError(path, text, annotations.INVALID_VALUE, message, hint)


def weights_have_room(of: Case) -> Iterator[FieldError]:
    """The path at which the weights are to be mounted is free."""
    supply = weights.Supply(of.request.weights)
    if of.chosen is None or not weights.directory(supply) or not weights.is_taken(of.chosen.found):
        return
    path = f"{_POD}.containers[{of.chosen.name}].volumeMounts[{weights.MOUNT}]"
    message = f"is where {annotations.WEIGHTS} puts its volume"
    hint = f"mount it elsewhere, or drop {annotations.WEIGHTS}"
    yield FieldError(path, weights.MOUNT, reasons.MOUNT_PATH_TAKEN, message, hint)


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
        runtime_args.require_supported(runtime_args.ServeArgs.from_argv(texts))
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
    template_has_no_key_that_is_not_read,
    presets_agree,
    model_container_is_clear,
    instance_types_are_known,
    node_selector_agrees,
    gpus_are_a_count,
    instance_types_have_the_gpus,
    model_fits,
    price_is_within_the_limit,
    node_rules_let_the_pods_in,
    tolerations_are_for_gpus,
    provision_is_possible,
    weights_image_is_named,
    weights_have_room,
    arguments_are_the_servers,
    pods_can_be_selected,
)
"""Every rule; each says in its docstring what holds when it is silent."""

NOT_YET = {
    annotations.ADAPTERS: "adapters",
    annotations.RUNTIME: "a choice of model server",
    annotations.ENABLELB: "a Service of type `LoadBalancer`",
    annotations.TUNING_METHOD: "tuning",
    annotations.TUNING_INPUT_URLS: "tuning on data from URLs",
    annotations.TUNING_INPUT_IMAGE: "tuning on data from an image",
    annotations.TUNING_INPUT_PVC: "tuning on data from a volume claim",
    annotations.TUNING_OUTPUT_IMAGE: "pushing an adapter as an image",
    annotations.TUNING_OUTPUT_PUSH_SECRET: "credentials for pushing an adapter",
    annotations.TUNING_OUTPUT_PVC: "keeping an adapter on a volume claim",
    annotations.TUNING_CONFIG: "tuning with settings from a ConfigMap",
}
"""Keys that admission does not act on yet, and what they ask for; the preset's annotation beside
them. An ignored wish is worse than a refused one."""

_HELP = frozenset({"-h", "--help"})
_PRESET_PATH = f"metadata.labels[{annotations.PRESET}]"
_SELECTOR_PATH = f"{_POD}.nodeSelector[{placement.INSTANCE_TYPE_LABEL}]"


def _is_later(field: str, key: str) -> bool:
    return key in NOT_YET or (key == annotations.PRESET and field == "annotations")


def _refused(kind: tuple[str, str], field: str, key: str, value: object) -> FieldError:
    known = annotations.KEYS[key]
    if known.on == "Job" and kind != workloads.JOB:
        path, message = f"metadata.{field}[{key}]", f"has no effect on a {kind[1]}"
        hint = "a model is tuned by a Job: make it one, or remove the key"
        return FieldError(path, value, annotations.MISPLACED_KEY, message, hint)
    return _not_supported_yet(field, key, value)


def _not_supported_yet(field: str, key: str, value: object) -> FieldError:
    if key == annotations.PRESET:
        hint = "set it as a label; ids that no label can hold come with a later version"
        message = "stands in an annotation, which this version does not read"
    else:
        hint = "remove the key"
        message = f"asks for what this version cannot do yet: {NOT_YET[key]}"
    path = f"metadata.{field}[{key}]"
    return FieldError(path, value, annotations.NOT_SUPPORTED_YET, message, hint)


def _preset_path(of: Case) -> str:
    return keys.path(of.workload, "labels", annotations.PRESET)


def _path(of: Case, key: str) -> str:
    """Where an annotation of the user stands."""
    return keys.path(of.workload, "annotations", key)


def _said_twice(of: Case, field: str, key: str, value: object) -> Iterator[FieldError]:
    own = workloads.part(of.workload, "metadata", field).get(key, value)
    if own != value:
        path = f"{keys.TEMPLATE}.metadata.{field}[{key}]"
        message = f'is another value than the workload\'s "{own}"'
        yield FieldError(path, value, annotations.INVALID_VALUE, message, "set it in one place")


def _selected(of: Case) -> str:
    selector = workloads.part(of.workload, "spec", "template", "spec", "nodeSelector")
    return str(selector.get(placement.INSTANCE_TYPE_LABEL) or "")


def _instance_types_by_path(of: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield _path(of, annotations.INSTANCE_TYPES), of.request.instance_types
    if selected := _selected(of):
        yield _SELECTOR_PATH, (selected,)


def _named(of: Case) -> tuple[str, ...]:
    """Instance types that the user names, or the author of the preset."""
    named = placement.instance_types(of.request, workloads.pod_spec(of.workload))
    return named or (of.model.instance_types if of.model else ())


def _unclear(of: Case) -> Iterator[FieldError]:
    """What is wrong with the question for a machine, so that there is no answer yet."""
    for rule in (instance_types_are_known, gpus_are_a_count, instance_types_have_the_gpus):
        yield from rule(of)


def _machines(
    of: Case, model: preset.Preset, chosen: podspec.Chosen, limit: int | None
) -> machines.Machines | machines.NoMachine:
    """The answer where nothing but the limit stood against a price."""
    request = of.request
    if request.most_per_hour != limit:
        request = dataclasses.replace(request, most_per_hour=limit)
    pod = workloads.pod_spec(of.workload)
    return placement.machines_of(model, request, pod, chosen.found, of.cloud)


def _affordable(of: Case, model: preset.Preset, limit: int) -> str:
    """What to do about a limit that is too low."""
    bought = of.request.capacity_types
    found = machines.find(model, (), None, bought, of.cloud, limit)
    if isinstance(found, machines.Machines) and _named(of):
        name = found.names[0]
        return f"{name} ({machines.priced(name, bought)}) holds it: name it, or no instance type"
    cheapest, cost = machines.cheapest(model, bought, of.cloud)
    if cost is None:
        return f"drop the limit, or buy otherwise: `plainsail offers {model.name}` lists prices"
    return f"the cheapest that holds it: {cheapest}"


def _otherwise(key: str) -> str:
    if key == node_rules.CAPACITY_TYPE:
        return f"set {annotations.CAPACITY_TYPE} in its place"
    return "drop the node selector"


def _types_path(of: Case) -> tuple[str, object]:
    """Where the instance types come from, and what stands there."""
    if of.request.instance_types:
        return _path(of, annotations.INSTANCE_TYPES), ",".join(of.request.instance_types)
    if selected := _selected(of):
        return _SELECTOR_PATH, selected
    return _preset_path(of), of.request.preset


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
