"""What the user is told about an expansion: the defaults chosen, and what was left as it was."""

from collections.abc import Iterator

from presets import annotations, forms, preset
from webhook import (
    adapters,
    placement,
    podspec,
    reasons,
    several_nodes,
    weights,
    workloads,
)
from webhook.case import Case


def of(
    case: Case, model: preset.Preset, placed: placement.Placement, chosen: podspec.Chosen
) -> Iterator[reasons.Note]:
    """The notes, the choice of machines first; `model` as it is pinned."""
    request = case.request
    yield reasons.expanded(model, placed, request.tuning, has_own_image=chosen.has_own_image)
    if placed.split.nodes > 1:
        yield reasons.machines_joined(placed, several_nodes.service_name(case.workload))
    if placed.left_out:
        yield reasons.machines_left_out(placed.left_out)
    if placed.old:
        yield reasons.old_gpus(placed.old)
    if request.tuning is None:
        yield from _of_container(chosen, placed)
    elif request.tuning.output_pvc is None:
        yield reasons.results_not_kept()
    yield from _of_sources(case, model, chosen)
    yield from _of_nodes(case, placed) if placed.gpus else _of_processors(case)


def _of_nodes(case: Case, placed: placement.Placement) -> Iterator[reasons.Note]:
    request, pod = case.request, case.pod
    if missing := placement.untolerated(pod):
        yield reasons.tolerations_kept(missing)
    required = ("affinity", "nodeAffinity", placement.REQUIRED)
    if workloads.part(pod, *required) and not case.was_added(*required):
        yield reasons.affinity_kept(placed.instance_types)
    if request.provision == forms.OFF:
        yield reasons.nothing_is_bought(placed)
    elif request.provision == forms.GATE or placed.split.nodes > 1:
        yield reasons.pods_gated()


def _of_processors(case: Case) -> Iterator[reasons.Note]:
    if idle := [key for key in _OF_MACHINES if key in workloads.part(case.keys, "annotations")]:
        yield reasons.keys_idle(idle)


_OF_MACHINES = (
    annotations.INSTANCE_TYPES,
    annotations.CAPACITY_TYPE,
    annotations.MAX_PRICE_PER_HOUR,
    annotations.PROVISION,
)


def _of_container(chosen: podspec.Chosen, placed: placement.Placement) -> Iterator[reasons.Note]:
    if chosen.has_own_image:
        yield reasons.image_kept(chosen.name, has_gpus=placed.gpus > 0)
    elif chosen.found.get("command"):
        yield reasons.command_kept(chosen.name)


def _of_sources(case: Case, model: preset.Preset, chosen: podspec.Chosen) -> Iterator[reasons.Note]:
    """Where weights and adapters are, for a server that Plainsail does not tell."""
    supply, beside = case.supply, case.beside
    own = {one.get("name") for one in chosen.found.get("env") or ()}
    if weights.needs_token(model, supply) and not chosen.has_own_image and weights.TOKEN not in own:
        yield reasons.token_needed(model)
    is_own = any(chosen.found.get(field) for field in ("image", "command", "args"))
    directory = weights.directory(supply)
    if directory and is_own:
        yield reasons.weights_mounted(chosen.name, directory)
    if beside.listed and is_own:
        yield reasons.adapters_mounted(chosen.name, adapters.served(beside))
    if beside.is_copied:
        yield reasons.adapters_copied([one.image for one in beside.listed])
