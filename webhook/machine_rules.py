"""The rules about machines: instance types, GPUs, memory, price, and who is let onto the nodes."""

import difflib
from collections.abc import Iterator

from presets import annotations, forms, gpus, money, preset, runtime_args
from presets.field_errors import FieldError
from webhook import keys, machines, node_rules, placement, podspec, reasons, workloads
from webhook.case import Case
from webhook.workloads import POD

_SELECTOR_PATH = f"{POD}.nodeSelector[{placement.INSTANCE_TYPE_LABEL}]"


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
    asked, selected = of.request.instance_types, of.selected
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
    if of.chosen is None or not of.no_count:
        return
    message, hint = "is not a count of GPUs", "1 or more, without a unit"
    path = _gpus_path(of.chosen)
    yield FieldError(path, of.no_count, annotations.INVALID_VALUE, message, hint)


def instance_types_have_the_gpus(of: Case) -> Iterator[FieldError]:
    """One of the instance types has as many GPUs as the container asks for."""
    if of.chosen is None or of.gpus is None:
        return
    names, most, count = of.named, of.most_gpus, of.gpus
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
    found, tuned = of.able, of.request.tuning
    if of.model is None or not isinstance(found, machines.NoMachine):
        return
    if tuned is not None and tuned.method not in of.model.tuning.methods:
        return  # tuning_rules.model_can_be_tuned tells
    path, value = types_path(of)
    verdict = "has no machine" if path == of.preset_path else f"will not do for {of.model.name}"
    yield FieldError(
        path,
        value,
        reasons.DOES_NOT_FIT,
        f"{verdict}: {'; '.join(found.sentences)}",
        _otherwise_held(of, found),
    )


def price_is_within_the_limit(of: Case) -> Iterator[FieldError]:
    """A machine that holds the model costs no more than the user pays."""
    limit, able = of.request.most_per_hour, of.able
    if limit is None or of.model is None or not isinstance(able, machines.Machines):
        return
    if isinstance(of.machines, machines.Machines):
        return
    bought = of.request.capacity_types
    nodes = able.split.nodes
    costs = ", ".join(f"{name} {machines.priced(name, bought, nodes)}" for name in able.names)
    path, shown = of.path(annotations.MAX_PRICE_PER_HOUR), money.decimal_text(limit)
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
    pod, found = of.pod, of.machines
    if not node_rules.are_any(pod) or not isinstance(found, machines.Machines) or not found.names:
        return
    nodes = [node_rules.labels(n, c) for n in found.names for c in _ways_bought(of)]
    unmatched = [set(node_rules.unmatched(pod, node)) for node in nodes]
    for key in sorted(set.intersection(*unmatched)):
        there = " or ".join(dict.fromkeys(node[key] for node in nodes))
        path, value = f"{POD}.nodeSelector[{key}]", workloads.part(pod, "nodeSelector")[key]
        message = f"matches no node of {' or '.join(found.names)}: there it is {there}"
        code = reasons.CONTRADICTING_NODE_SELECTOR
        yield FieldError(path, value, code, message, _otherwise(key))
    is_users = not of.was_added("affinity", "nodeAffinity", placement.REQUIRED)
    if is_users and not any(node_rules.is_let_in(pod, node) for node in nodes):
        path = f"{POD}.affinity.nodeAffinity.{placement.REQUIRED}.nodeSelectorTerms"
        message = f"lets in no node of {' or '.join(found.names)}"
        hint = f"let it match one of them, or say in {annotations.INSTANCE_TYPES} what it lets in"
        value = node_rules.terms(pod)
        yield FieldError(path, value, reasons.CONTRADICTING_AFFINITY, message, hint)


def tolerations_are_for_gpus(of: Case) -> Iterator[FieldError]:
    """A toleration with the key of a GPU taint tolerates that taint, on nodes that are bought."""
    if of.request.provision == forms.OFF:
        return
    pod = of.pod
    for place, taint in node_rules.wrong_tolerations(pod):
        path, value = f"{POD}.tolerations[{place}]", pod["tolerations"][place]
        message = f"does not tolerate {taint}, which GPU nodes are tainted with"
        hint = "mend it, or leave tolerations out"
        yield FieldError(path, value, reasons.CONTRADICTING_TOLERATION, message, hint)


def provision_is_possible(of: Case) -> Iterator[FieldError]:
    """Pods that carry the preset's label are the planner's, and refused where it has no part."""
    if of.request.provision == forms.OFF and keys.are_on_pods(of.workload):
        path, value = of.path(annotations.PROVISION), forms.OFF
        message = "asks for what this version cannot do yet where pods carry the label"
        if of.terms.on_processors:
            path, value = of.preset_path, of.request.preset
            message = "stands on the pods: this version cannot do so yet where nothing is bought"
        hint = (
            f"set the label {annotations.PRESET} on the workload alone:"
            " neither its pods nor its selector may have it"
        )
        yield FieldError(path, value, annotations.NOT_SUPPORTED_YET, message, hint)


def provider_can(of: Case) -> Iterator[FieldError]:
    """Who buys the nodes reads what the user asks for: capacity type and zone."""
    provider = of.terms.provider
    if provider is None or of.request.provision == forms.OFF:
        return
    if annotations.SPOT in of.request.capacity_types and not provider.spot:
        path, asked = of.path(annotations.CAPACITY_TYPE), ",".join(of.request.capacity_types)
        message = f"asks for what {provider.name} does not buy: it buys on-demand alone"
        hint = f"{annotations.ON_DEMAND}, or leave the annotation out"
        yield FieldError(path, asked, reasons.PROVIDER_CANNOT, message, hint)
    for path, zone in () if provider.zones else node_rules.zones(of.pod):
        message = f"asks for what {provider.name} does not do: it reads no zone"
        hint = f"drop it, or set {annotations.PROVISION}: off for nodes of your own"
        yield FieldError(f"{POD}.{path}", zone, reasons.PROVIDER_CANNOT, message, hint)


def gated_pods_can_be_placed(of: Case) -> Iterator[FieldError]:
    """Pods behind a gate name no node: the API server takes none that does both."""
    node = of.pod.get("nodeName")
    if of.request.provision == forms.GATE and node:
        message = f"names a node, where {annotations.PROVISION} holds pods back from all"
        hint = f"drop nodeName, or {annotations.PROVISION}: {forms.GATE}"
        path = f"{POD}.nodeName"
        yield FieldError(path, node, reasons.CONTRADICTING_NODE_NAME, message, hint)


def _otherwise_held(of: Case, found: machines.NoMachine) -> str:
    """What to do where no machine holds the model."""
    ways, joined = [], of.as_stateful_set
    if runtime_args.SERVE_NODES in of.terms.programs and isinstance(joined, machines.Machines):
        ways.append(f"a StatefulSet spreads it over {joined.split.nodes} of {joined.names[0]}")
    if found.instead:
        ways.append(f"{found.instead} holds it")
    return "; ".join(ways) or _smaller(of)


def _instance_types_by_path(of: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield of.path(annotations.INSTANCE_TYPES), of.request.instance_types
    if selected := of.selected:
        yield _SELECTOR_PATH, (selected,)


def _affordable(of: Case, model: preset.Preset, limit: int) -> str:
    """What to do about a limit that is too low."""
    bought = of.request.capacity_types
    wanted = machines.Wanted(
        capacity_types=bought,
        cloud=of.terms.cloud,
        limit=limit,
        mode=placement.mode(of.request),
        joins=of.joins,
    )
    found = machines.find(model, wanted)
    if isinstance(found, machines.Machines) and of.named:
        name, priced = found.names[0], machines.priced(found.names[0], bought, found.split.nodes)
        return f"{name} ({priced}) holds it: name it, or no instance type"
    cheapest, cost = machines.cheapest(model, wanted)
    if cost is None:
        return f"drop the limit, or buy otherwise: `plainsail offers {model.name}` lists prices"
    return f"the cheapest that holds it: {cheapest}"


def _ways_bought(of: Case) -> tuple[str, ...]:
    """Capacity types of the nodes; how the user got nodes of their own is not known."""
    return ("",) if of.request.provision == forms.OFF else of.request.capacity_types


def _otherwise(key: str) -> str:
    if key == node_rules.CAPACITY_TYPE:
        return f"set {annotations.CAPACITY_TYPE} in its place"
    return "drop the node selector"


def _smaller(of: Case) -> str:
    """What to do where no machine holds the model."""
    if not of.terms.on_processors:
        return "choose a smaller preset"
    if of.gpus:
        return f"leave {gpus.GPU_RESOURCE} out"
    served = ", ".join(one.name for one in of.terms.presets.presets if one.cpu)
    return f"presets that are served on processors: {served}"


def types_path(of: Case) -> tuple[str, object]:
    """Where the machines come from, and what stands there."""
    if of.terms.on_processors:
        return of.preset_path, of.request.preset
    if of.request.instance_types:
        return of.path(annotations.INSTANCE_TYPES), ",".join(of.request.instance_types)
    if selected := of.selected:
        return _SELECTOR_PATH, selected
    return of.preset_path, of.request.preset


def _gpus_path(chosen: podspec.Chosen) -> str:
    return f"{POD}.containers[{chosen.name}].resources.limits[{gpus.GPU_RESOURCE}]"


def _sold() -> list[str]:
    """Instance types that can still be had, or that this version's examples use."""
    return [
        name
        for name, machine in gpus.INSTANCE_TYPES.items()
        if machine.local or machine.status == gpus.CURRENT
    ]


def _quoted(names: list[str]) -> list[str]:
    return [f'"{name}"' for name in names]
