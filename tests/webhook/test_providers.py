"""What who buys the nodes does not do is refused, not dropped (fault case C15)."""

from typing import Any

import pytest

from presets import annotations, catalog, providers
from tests import builders
from webhook import admit, reasons
from webhook.terms import Terms

CATALOG = catalog.load()
ZONE = "topology.kubernetes.io/zone"


def _problems(made: dict[str, Any], dialect: str) -> list[str]:
    terms = Terms(CATALOG, provider=providers.PROVIDERS.get(dialect))
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, made), terms)
    if isinstance(decision, admit.Denied):
        assert {error.reason for error in decision.errors} == {reasons.PROVIDER_CANNOT}
        return [error.path for error in decision.errors]
    assert isinstance(decision, admit.Allowed)
    return []


def _spot() -> dict[str, Any]:
    wanted = builders.deployment().preset()
    return wanted.annotation(annotations.CAPACITY_TYPE, "spot,on-demand").build()


def _zoned() -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["a", "b"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    affinity = {"nodeAffinity": required}
    return builders.deployment().preset().pod(nodeSelector={ZONE: "a"}, affinity=affinity).build()


@pytest.mark.parametrize(
    ("dialect", "spot", "zones"),
    [
        ("", 0, 0),
        ("karpenter-azure", 0, 0),
        ("karpenter-aws", 0, 0),
        ("kwok", 0, 0),
        ("local", 0, 2),
        ("gpu-provisioner", 1, 2),
    ],
)
def test_what_a_provider_does_not_read_may_not_be_asked_of_it(
    dialect: str, spot: int, zones: int
) -> None:
    assert len(_problems(_spot(), dialect)) == spot
    assert len(_problems(_zoned(), dialect)) == zones


def test_several_instance_types_are_claimed_one_after_the_other_anywhere() -> None:
    names = "Standard_NC6s_v3,Standard_NC24ads_A100_v4"
    made = builders.deployment().preset().annotation(annotations.INSTANCE_TYPES, names).build()
    assert _problems(made, "gpu-provisioner") == []


def test_where_nothing_is_bought_nothing_is_asked_of_the_provider() -> None:
    made = _zoned()
    made["metadata"]["annotations"] = {annotations.PROVISION: "off"}
    assert _problems(made, "gpu-provisioner") == []
