"""A labelled workload as the rules see it: its parts found once, its machines looked for once."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from presets import annotations, forms, gpus, metadata, preset, runtime_args
from presets.field_errors import FieldError
from presets.request import Request
from webhook import adapters, keys, machines, placement, podspec, processors, weights, workloads
from webhook.fill import Tree
from webhook.record import Record
from webhook.terms import Terms

NOT_YET = {
    annotations.RUNTIME: (
        forms.VLLM,
        "is not in the model server's image of this version",
        f"{forms.TRANSFORMERS}, or leave the key out",
    ),
}
"""Values that admission does not act on yet, with message and hint: an ignored wish is worse than a
refused one. Beside them the preset's annotation is refused."""


def is_refused_for_now(key: annotations.Key) -> bool:
    """Whether this version knows the key and cannot act on it yet."""
    return key.on == "Job" and runtime_args.TUNE not in runtime_args.PROGRAMS


Found = machines.Machines | machines.NoMachine | None
"""None: the question for a machine is not clear yet, which other rules tell."""


@dataclass(frozen=True)
class Case:
    """What the rules look at."""

    workload: dict[str, Any]
    keys: Mapping[str, Any]
    """Metadata that holds the user's keys (`webhook.keys.of`)."""
    request: Request
    terms: Terms
    model: preset.Preset | None
    """None where the name is unknown: rules that need it have nothing to say."""
    chosen: podspec.Chosen | None
    """None where several containers could be the model's."""
    earlier: Record | None = None
    """Of an expansion that the workload carries, or carried when it was stored."""

    @cached_property
    def pod(self) -> dict[str, Any]:
        """The pod spec of the template."""
        return workloads.pod_spec(self.workload)

    @cached_property
    def supply(self) -> weights.Supply:
        """Where the weights come from."""
        return weights.Supply(self.request.weights, self.terms.image_volumes)

    @cached_property
    def beside(self) -> adapters.Beside:
        """The adapters beside the model."""
        return adapters.Beside(self.request.adapters, self.terms.image_volumes)

    @cached_property
    def selected(self) -> str:
        """Instance type of the node selector; empty: none."""
        found = workloads.part(self.pod, "nodeSelector").get(placement.INSTANCE_TYPE_LABEL)
        return str(found or "")

    @cached_property
    def named(self) -> tuple[str, ...]:
        """Instance types that the user names, or the author of the preset; none without GPUs."""
        if self.terms.on_processors:
            return ()
        return self._users_types or (self.model.instance_types if self.model else ())

    @property
    def _users_types(self) -> tuple[str, ...]:
        """By annotation, else by node selector."""
        return self.request.instance_types or tuple(filter(None, (self.selected,)))

    @property
    def gpus(self) -> int | None:
        """GPUs that the model's container asks for itself; None: it does not, or by no count."""
        return self._counted[0]

    @property
    def no_count(self) -> str:
        """What stands where a count of GPUs is to stand; empty: nothing does."""
        return self._counted[1]

    @cached_property
    def _counted(self) -> tuple[int | None, str]:
        try:
            return (placement.gpus_asked(self.chosen.found) if self.chosen else None), ""
        except ValueError as error:
            return None, str(error)

    @property
    def most_gpus(self) -> int:
        """Of any of the named instance types; 0 where none is known."""
        known = (gpus.INSTANCE_TYPES[name] for name in self.named if name in gpus.INSTANCE_TYPES)
        return max((machine.gpus for machine in known), default=0)

    @cached_property
    def able(self) -> Found:
        """Machines that hold the model, whatever they cost."""
        return self._machines(limit=None)

    @cached_property
    def machines(self) -> Found:
        """Those within the limit of the price."""
        limit = self.request.most_per_hour
        return self.able if limit is None else self._machines(limit)

    @cached_property
    def joins(self) -> bool:
        """Several machines may hold the model together, with a pod on each."""
        is_of_pods = workloads.kind_of(self.workload) == workloads.STATEFUL_SET
        return is_of_pods and self._server_can_join

    @property
    def _server_can_join(self) -> bool:
        """It is ours, and may be another than that of transformers."""
        chosen = self.chosen
        if chosen is None or self.request.runtime == forms.TRANSFORMERS:
            return False
        return not chosen.has_own_image or self.was_added("containers", chosen.name, "image")

    @property
    def as_stateful_set(self) -> Found:
        """What would hold the model on a StatefulSet."""
        return self._machines(limit=None, joins=self._server_can_join)

    def _machines(self, limit: int | None, *, joins: bool | None = None) -> Found:
        if self.model is None or self.chosen is None or not self._is_clear:
            return None
        if self.terms.on_processors:
            return self._processors(self.model, self.chosen)
        wanted = machines.Wanted(
            self._users_types,
            self.gpus,
            self.request.capacity_types,
            self.terms.cloud,
            limit,
            placement.mode(self.request),
            self.joins if joins is None else joins,
        )
        if wanted.named and self.chosen.has_own_image:
            return machines.of_own_server(self.model, wanted)
        return machines.find(self.model, wanted)

    def _processors(self, model: preset.Preset, chosen: podspec.Chosen) -> Found:
        if self.gpus:
            why = f"{processors.NO_GPUS}, and its container asks for {self.gpus}"
            return machines.NoMachine((why,), "")
        if chosen.has_own_image:
            return machines.Machines((), 0, model.context_tokens)
        return processors.find(model, placement.mode(self.request))

    @cached_property
    def _is_clear(self) -> bool:
        """Instance types and GPUs are such that a machine can be looked for."""
        named = (*self.request.instance_types, *filter(None, (self.selected,)))
        if self.no_count or any(name not in gpus.INSTANCE_TYPES for name in named):
            return False
        return not 0 < self.most_gpus < (self.gpus or 0)

    @property
    def added(self) -> Tree:
        """What of the workload an earlier expansion added; its record comes with it.

        Without the record all is the user's: an update takes our additions out beforehand.
        """
        held = workloads.part(self.workload, "metadata", "annotations")
        return self.earlier.tree if self.earlier and annotations.EXPANSION in held else {}

    def was_added(self, *path: str) -> bool:
        """Whether an earlier expansion added what stands at `path` of the pod spec."""
        return path[-1] in workloads.part(self.added, "spec", "template", "spec", *path[:-1])

    @property
    def preset_path(self) -> str:
        """Where the label that opts in stands."""
        return keys.path(self.workload, "labels", annotations.PRESET)

    def path(self, key: str) -> str:
        """Where an annotation of the user stands."""
        return keys.path(self.workload, "annotations", key)


def of(
    workload: dict[str, Any], terms: Terms, earlier: Record | None
) -> tuple[Case, list[FieldError]]:
    """The case of a workload, and what is wrong with its keys."""
    held = keys.of(workload)
    parsed, errors = _asked(workload, held)
    request = parsed or Request(preset=str(held["labels"][annotations.PRESET]))
    if terms.on_processors:
        request = dataclasses.replace(request, provision=forms.OFF)
    model = terms.presets.find(request.preset)
    recorded = earlier.container if earlier else ""
    try:
        new = podspec.NEW_CONTAINER if request.tuning is None else runtime_args.TUNE
        chosen = podspec.choose(workloads.containers(workload), request.container, recorded, new)
    except podspec.AmbiguousContainer:
        chosen = None
    return Case(workload, held, request, terms, model, chosen, earlier), errors


def problems_of_keys(workload: dict[str, Any]) -> list[FieldError]:
    """What is wrong with the keys of a workload, each by itself and beside the others."""
    return _asked(workload, keys.of(workload))[1]


def _asked(
    workload: dict[str, Any], held: Mapping[str, Any]
) -> tuple[Request | None, list[FieldError]]:
    """What the keys ask for, and what is wrong with them.

    The preset's annotation is refused, and the others are read without it; None where one of those
    is wrong.
    """
    refused = [_refused(*entry) for entry in annotations.entries(held) if _is_later(*entry)]
    noted = workloads.part(held, "annotations")
    if annotations.PRESET in noted:
        rest = {key: text for key, text in noted.items() if key != annotations.PRESET}
        held = {**held, "annotations": rest}
    parsed = metadata.parse(held)
    if isinstance(parsed, list):
        return None, [keys.located(workload, error) for error in (*refused, *parsed)]
    return parsed, [keys.located(workload, error) for error in refused]


def _is_later(field: str, key: str, value: object) -> bool:
    if key == annotations.PRESET:
        return field == "annotations"
    return key in NOT_YET and value == NOT_YET[key][0]


def _refused(field: str, key: str, value: object) -> FieldError:
    if key == annotations.PRESET:
        message = "stands in an annotation, which this version does not read"
        hint = "set it as a label; ids that no label can hold come with a later version"
    else:
        _, message, hint = NOT_YET[key]
    path = f"metadata.{field}[{key}]"
    return FieldError(path, value, annotations.NOT_SUPPORTED_YET, message, hint)
