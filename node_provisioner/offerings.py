"""What can be bought for a pod, in order of preference, and what it costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from typing_extensions import override

from node_provisioner import rules
from presets import gpus as machines
from presets import prices, provision_spec


@dataclass(frozen=True, order=True)
class Offer:
    """One thing that a provider may have or not."""

    instance_type: str
    capacity_type: str
    zone: str = ""
    """Empty: whichever the provider takes."""

    @override
    def __str__(self) -> str:
        return ", ".join(filter(None, (self.instance_type, self.capacity_type, self.zone)))

    @property
    def labels(self) -> dict[str, str]:
        """What is known of the labels that its node will have."""
        known = {
            rules.INSTANCE_TYPE: node_label(self.instance_type),
            rules.CAPACITY_TYPE: self.capacity_type,
            "kubernetes.io/os": "linux",
        }
        return known | ({rules.ZONE: self.zone} if self.zone else {})

    @property
    def wider(self) -> "tuple[Offer, ...]":
        """Itself, the same in any zone, and the type however it is bought."""
        of_type = Offer(self.instance_type, "")
        return self, Offer(self.instance_type, self.capacity_type), of_type

    @property
    def per_hour(self) -> int | None:
        """Microdollars; None: unknown."""
        return _per_hour(self.instance_type, self.capacity_type)

    @property
    def priced(self) -> str:
        """For people: `Standard_NC6s_v3, spot, $0.66/h`."""
        return f"{self}, {'price unknown' if not self.per_hour else prices.shown(self.per_hour)}"


def gpus(instance_type: str, at_least: int) -> int:
    """GPUs of one node; a type that is not known is trusted to hold one pod, no more."""
    machine = machines.INSTANCE_TYPES.get(instance_type)
    return machine.gpus if machine else at_least


def node_label(instance_type: str) -> str:
    """Instance type as the label of its nodes has it."""
    machine = machines.INSTANCE_TYPES.get(instance_type)
    return machine.node_label or instance_type if machine else instance_type


@lru_cache(maxsize=4096)
def offers(spec: provision_spec.ProvisionSpec, of_pod: rules.Rules) -> tuple[Offer, ...]:
    """Offers that hold a pod: by instance type, then by capacity type, then by zone."""
    return tuple(offer for offer in _all(spec, of_pod.zones) if _may_run_on(of_pod, offer.labels))


def _all(spec: provision_spec.ProvisionSpec, zones: tuple[str, ...]) -> Iterator[Offer]:
    for instance_type in spec.instance_types:
        if gpus(instance_type, spec.gpus) >= spec.gpus:
            for capacity_type in spec.capacity_types:
                for zone in zones or ("",):
                    yield Offer(instance_type, capacity_type, zone)


def _may_run_on(of_pod: rules.Rules, labels: Mapping[str, str]) -> bool:
    return of_pod.admit(labels, complete=False)


@lru_cache(maxsize=4096)
def _per_hour(instance_type: str, capacity_type: str) -> int | None:
    found = prices.snapshot().find(instance_type, capacity_type)
    return found.microdollars_per_hour if found else None
