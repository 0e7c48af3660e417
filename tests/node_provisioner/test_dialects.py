"""NodeClaims that the dialects build."""

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from node_provisioner import dialects, offerings, plan, views
from node_provisioner.dialects import gpu_provisioner
from presets import gpus, providers, scheduling

_GOLDEN = Path(__file__).parent / "golden"
_CLAIM = plan.NewClaim(
    name="ws0123456ab",
    workload=views.Workload("team-a", "Deployment", "chat"),
    offer=offerings.Offer("Standard_NC6s_v3", "on-demand"),
    resource="nvidia.com/gpu",
    gpus=1,
    attempt=0,
)


def test_every_dialect_is_a_provider_of_which_admission_knows() -> None:
    assert dialects.DIALECTS.keys() == providers.PROVIDERS.keys()


@pytest.mark.parametrize("name", dialects.DIALECTS)
@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_bought_a_claim_is_one_that_its_provider_takes(name: str, seed: int) -> None:
    """C14, C16, C18, and what section 8 of Karpenter's behaviour asks of every claim."""
    rng = random.Random(seed)
    kind = rng.choice([*gpus.INSTANCE_TYPES, "metal-9000"])
    offer = offerings.Offer(kind, rng.choice(("spot", "on-demand")), rng.choice(("", "z1")))
    made = dialects.DIALECTS[name](replace(_CLAIM, offer=offer, gpus=rng.randrange(1, 9)))
    meta, spec = made["metadata"], made["spec"]
    required = {one["key"]: one["values"] for one in spec["requirements"]}
    assert re.fullmatch("[a-z][a-z0-9]{0,11}", meta["name"])
    assert required["karpenter.sh/capacity-type"] == [offer.capacity_type]
    assert (spec["expireAfter"], spec["terminationGracePeriod"]) == ("Never", "5m")
    assert meta["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    requests = spec["resources"]["requests"]
    assert int(requests["nvidia.com/gpu"]) > 0
    assert scheduling.MARKER not in requests
    is_kaito = name == "gpu-provisioner"
    assert ("storage" in requests) is is_kaito
    assert ("karpenter.sh/nodepool" in meta["labels"]) is is_kaito
    assert ("kaito.sh/workspace" in meta["labels"]) is is_kaito


def test_the_disk_of_an_agent_pool_holds_what_its_gpus_hold_twice() -> None:
    def disk(kind: str) -> str:
        made = gpu_provisioner.manifest(replace(_CLAIM, offer=offerings.Offer(kind, "on-demand")))
        return str(made["spec"]["resources"]["requests"]["storage"])

    assert disk("Standard_NC6s_v3") == "92Gi"
    assert disk("Standard_ND96isr_H100_v5") == "1326Gi"
    assert disk("metal-9000") == "512Gi"


def test_every_dialect_builds_its_golden_manifest() -> None:
    built = {name: build(_CLAIM) for name, build in dialects.DIALECTS.items()}
    golden = {
        name: yaml.safe_load((_GOLDEN / f"nodeclaim-{name}.yaml").read_text()) for name in built
    }
    assert built == golden


def test_the_node_class_that_is_looked_at_is_the_one_that_claims_name() -> None:
    for name, path in dialects.NODE_CLASSES.items():
        group, _, plural, class_name = path.removeprefix("/apis/").split("/")
        named = dialects.DIALECTS[name](_CLAIM)["spec"]["nodeClassRef"]
        assert (group, plural, class_name) == (
            named["group"],
            named["kind"].lower() + "es",
            named["name"],
        )


def test_a_claim_is_read_back_as_it_was_bought() -> None:
    for build in dialects.DIALECTS.values():
        view = views.claim(build(_CLAIM))
        assert view is not None
        assert (view.key, view.workload) == ("ws0123456ab", "team-a/Deployment/chat")
        assert view.offer == _CLAIM.offer
        assert view.devices == (("nvidia.com/gpu", 1),)
