"""What was chosen for a workload, read off the expanded workload itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from presets import annotations, forms, gpus, metadata, preset, provision_spec, sizing
from presets.request import Request
from presets.runtime_args import nodes
from webhook import keys, node_rules, placement, record, workloads
from webhook.terms import Terms

ANNOTATION, NODE_SELECTOR, PRESET, CHEAPEST = "annotation", "node selector", "preset", "cheapest"
"""Who named the instance types: the user in two places, the preset, or nobody."""


@dataclass(frozen=True)
class Choice:
    """An expanded workload, and what its record and annotations say."""

    workload: dict[str, Any]
    record: record.Record
    model: preset.Preset
    spec: provision_spec.ProvisionSpec
    """What the planner may buy; where nothing is bought, the same of the nodes it waits for."""
    request: Request
    """The same, parsed."""
    cloud: str

    @property
    def keys(self) -> dict[str, str]:
        """The user's keys that shape pods, as they stand there."""
        return dict(self.record.inputs)

    @property
    def container(self) -> dict[str, Any]:
        """The model's container, expanded."""
        found = {one.get("name"): one for one in workloads.containers(self.workload)}
        return found.get(self.record.container, {})

    @property
    def has_own_image(self) -> bool:
        """The image was there before, so that the server is the user's own."""
        containers = workloads.part(self.record.tree, "spec", "template", "spec", "containers")
        return "image" not in workloads.part(containers, self.record.container)

    @property
    def machine(self) -> gpus.InstanceType | None:
        """The instance type that is tried first; None where there is none that we know."""
        first = next(iter(self.spec.instance_types), "")
        return gpus.INSTANCE_TYPES.get(first)

    @property
    def layout(self) -> sizing.Layout | None:
        """How the model lies on that machine; None where the server is not ours to lay out."""
        if self.has_own_image or self.machine is None:
            return None
        found = sizing.fit(self.model, self.machine, placement.mode(self.request))
        return found if isinstance(found, sizing.Layout) else None

    @property
    def is_bought(self) -> bool:
        """Nodes are bought for the pods; else they wait for one that is there."""
        return self.request.provision != forms.OFF

    @property
    def is_on_processors(self) -> bool:
        """The pods ask for no GPU, as in a cluster without any."""
        return not self.spec.gpus

    @property
    def named_by(self) -> str:
        """Who named the instance types; by the order in which `webhook.placement` asks."""
        if annotations.INSTANCE_TYPES in self.keys:
            return ANNOTATION
        selector = workloads.part(workloads.pod_spec(self.workload), "nodeSelector")
        if placement.INSTANCE_TYPE_LABEL in selector:
            return NODE_SELECTOR
        return PRESET if self.model.instance_types else CHEAPEST


def of(workload: dict[str, Any], terms: Terms) -> Choice | None:
    """What was chosen for the workload; None where it was not expanded by what we know."""
    request = metadata.parse(keys.of(workload))
    try:
        kept = record.of(workload)
        model = terms.presets.find(kept.preset) if kept else None
        if kept is None or model is None or isinstance(request, list):
            return None
        spec = _bought(workload) or _waited_for(workload, kept, request)
    except ValueError:  # the record, the provision spec or a count of GPUs is not one
        return None
    return Choice(workload, kept, model, spec, request, terms.cloud)


def _bought(workload: dict[str, Any]) -> provision_spec.ProvisionSpec | None:
    """What the planner is told; None where nothing is to be bought."""
    template = workloads.part(workload, "spec", "template", "metadata", "annotations")
    text = template.get(annotations.PROVISION_SPEC)
    return provision_spec.ProvisionSpec.from_json(text) if isinstance(text, str) else None


def _waited_for(
    workload: dict[str, Any], kept: record.Record, request: Request
) -> provision_spec.ProvisionSpec:
    """The nodes that the pods wait for, by their affinity and what the model's container asks."""
    named = {one.get("name"): one for one in workloads.containers(workload)}
    model = named.get(kept.container, {})
    return provision_spec.ProvisionSpec(
        instance_types=tuple(_let_in(workloads.pod_spec(workload))),
        gpus=placement.gpus_asked(model) or 0,
        capacity_types=request.capacity_types,
        nodes=nodes.node_count([model]),
    )


def _let_in(pod: dict[str, Any]) -> Iterator[str]:
    """The instance types that node affinity names, as `placement.affinity` writes it."""
    by_label = {machine.node_label or name: name for name, machine in gpus.INSTANCE_TYPES.items()}
    for term in filter(_is_object, node_rules.terms(pod)):
        for one in filter(_is_object, term.get("matchExpressions") or ()):
            if (one.get("key"), one.get("operator")) == (placement.INSTANCE_TYPE_LABEL, "In"):
                yield from (
                    by_label[label] for label in one.get("values") or () if label in by_label
                )


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
