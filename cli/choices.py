"""What was chosen for a workload, read off the expanded workload itself."""

from dataclasses import dataclass
from typing import Any

from presets import annotations, gpus, metadata, preset, provision_spec, sizing
from presets.request import Request
from webhook import keys, placement, record, workloads
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
        """The instance type that is tried first; None where this version does not know it."""
        return gpus.INSTANCE_TYPES.get(self.spec.instance_types[0])

    @property
    def layout(self) -> sizing.Layout | None:
        """How the model lies on that machine; None where the server is not ours to lay out."""
        if self.has_own_image or self.machine is None:
            return None
        found = sizing.fit(self.model, self.machine, placement.mode(self.request))
        return found if isinstance(found, sizing.Layout) else None

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
    try:
        kept = record.of(workload)
        spec = _spec(workload)
    except (record.MalformedRecord, provision_spec.MalformedProvisionSpec):
        return None
    model = terms.presets.find(kept.preset) if kept else None
    request = metadata.parse(keys.of(workload))
    if kept is None or model is None or spec is None or isinstance(request, list):
        return None
    return Choice(workload, kept, model, spec, request, terms.cloud)


def _spec(workload: dict[str, Any]) -> provision_spec.ProvisionSpec | None:
    template = workloads.part(workload, "spec", "template", "metadata", "annotations")
    text = template.get(annotations.PROVISION_SPEC)
    return provision_spec.ProvisionSpec.from_json(text) if isinstance(text, str) else None
