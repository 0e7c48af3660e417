"""The rules that a labelled workload must keep; all run, and all problems are reported at once."""

import difflib
from collections.abc import Callable, Iterable, Iterator

from presets import annotations, forms, runtime_args, sources
from presets.field_errors import ABSENT, FieldError
from webhook import (
    expand,
    keys,
    machine_rules,
    mount_rules,
    reasons,
    several_nodes,
    tuning_rules,
    workloads,
)
from webhook.case import Case
from webhook.workloads import POD

_LONGEST_LABEL = 63

Rule = Callable[[Case], Iterable[FieldError]]


def problems(of: Case) -> list[FieldError]:
    """Everything wrong with the case."""
    return [error for rule in RULES for error in rule(of)]


def preset_is_known(of: Case) -> Iterator[FieldError]:
    """The label names a preset."""
    label = of.keys["labels"][annotations.PRESET]
    if of.model is not None or not isinstance(label, str):
        return
    near = of.terms.presets.nearest(of.request.preset)
    if near:
        hint = f"did you mean {' or '.join(_quoted(near))}?"
    else:
        hint = "`plainsail presets` lists them all"
    yield FieldError(
        of.preset_path, of.request.preset, reasons.UNKNOWN_PRESET, "is not a preset", hint
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
    own = of.keys["labels"][annotations.PRESET]
    other = workloads.part(meta, "labels").get(annotations.PRESET, own)
    if (
        other == own
        or of.terms.presets.find(str(other)) is of.terms.presets.find(str(own)) is not None
    ):
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
        f"{POD}.containers",
        names,
        reasons.AMBIGUOUS_CONTAINER,
        "are several containers, and none is marked as the model's",
        f"name it in the annotation {annotations.CONTAINER}, or leave out the image of that one;"
        " a name that is not there adds a container",
    )


def weights_image_is_named(of: Case) -> Iterator[FieldError]:
    """Weights from an image come from one that the user names, with the path if it is copied."""
    source, path = of.request.weights, of.path(annotations.WEIGHTS)
    if source.kind == sources.IMAGE and not source.name:
        message = "names no image, and this version knows none of the preset's weights"
        hint = "image:REF, image:REF:TAG/path, pvc:NAME or hub"
        yield FieldError(path, sources.IMAGE, annotations.NOT_SUPPORTED_YET, message, hint)
    elif source.kind == sources.IMAGE and not source.path and not of.terms.image_volumes:
        message = "names no directory, and this cluster copies weights out of images"
        hint = "image:REF:TAG/path"
        text = sources.write_weights(source)
        yield FieldError(path, text, annotations.INVALID_VALUE, message, hint)


def runtime_is_ours(of: Case) -> Iterator[FieldError]:
    """A model server is chosen where it is not the user's own."""
    asked, chosen = of.request.runtime, of.chosen
    if asked == forms.AUTO or chosen is None or not chosen.has_own_image:
        return
    if not of.was_added("containers", chosen.name, "image"):
        path = of.path(annotations.RUNTIME)
        message = f'has no effect: container "{chosen.name}" has an image of its own'
        yield FieldError(path, asked, annotations.MISPLACED_KEY, message, "remove the key")


def service_is_made(of: Case) -> Iterator[FieldError]:
    """A load balancer is asked for what gets a Service."""
    if of.request.load_balancer and workloads.kind_of(of.workload) == workloads.JOB:
        path, message = of.path(annotations.ENABLELB), "has no effect on a Job: it gets no Service"
        hint = "remove the key"
        yield FieldError(path, forms.TRUE, annotations.MISPLACED_KEY, message, hint)


def arguments_are_the_servers(of: Case) -> Iterator[FieldError]:
    """Arguments for our command are ones that it takes."""
    chosen = of.chosen
    if of.request.tuning is not None:
        return
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
        path = f"{POD}.containers[{chosen.name}].args"
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
    machine_rules.instance_types_are_known,
    machine_rules.node_selector_agrees,
    machine_rules.gpus_are_a_count,
    machine_rules.instance_types_have_the_gpus,
    machine_rules.model_fits,
    machine_rules.price_is_within_the_limit,
    machine_rules.node_rules_let_the_pods_in,
    machine_rules.tolerations_are_for_gpus,
    machine_rules.provision_is_possible,
    machine_rules.provider_can,
    machine_rules.gated_pods_can_be_placed,
    weights_image_is_named,
    mount_rules.weights_have_room,
    mount_rules.adapters_have_room,
    runtime_is_ours,
    service_is_made,
    arguments_are_the_servers,
    tuning_rules.keys_are_on_a_job,
    tuning_rules.run_is_sound,
    several_nodes.rules,
    pods_can_be_selected,
)
"""Every rule; each says in its docstring what holds when it is silent."""


_HELP = frozenset({"-h", "--help"})
_PRESET_PATH = f"metadata.labels[{annotations.PRESET}]"


def _said_twice(of: Case, field: str, key: str, value: object) -> Iterator[FieldError]:
    own = workloads.part(of.workload, "metadata", field).get(key, value)
    if own != value:
        path = f"{keys.TEMPLATE}.metadata.{field}[{key}]"
        message = f'is another value than the workload\'s "{own}"'
        yield FieldError(path, value, annotations.INVALID_VALUE, message, "set it in one place")


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]
