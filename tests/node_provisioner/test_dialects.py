"""NodeClaims that the dialects build."""

from pathlib import Path

import yaml

from node_provisioner import dialects, offerings, plan, views

_GOLDEN = Path(__file__).parent / "golden"
_CLAIM = plan.NewClaim(
    name="ws0123456ab",
    workload=views.Workload("team-a", "Deployment", "chat"),
    offer=offerings.Offer("Standard_NC6s_v3", "on-demand"),
    resource="nvidia.com/gpu",
    gpus=1,
    attempt=0,
)


def test_every_dialect_builds_its_golden_manifest() -> None:
    built = {name: build(_CLAIM) for name, build in dialects.DIALECTS.items()}
    golden = {
        name: yaml.safe_load((_GOLDEN / f"nodeclaim-{name}.yaml").read_text()) for name in built
    }
    assert built == golden


def test_a_claim_is_read_back_as_it_was_bought() -> None:
    for build in dialects.DIALECTS.values():
        view = views.claim(build(_CLAIM))
        assert view is not None
        assert (view.key, view.workload) == ("ws0123456ab", "team-a/Deployment/chat")
        assert view.offer == _CLAIM.offer
        assert view.devices == (("nvidia.com/gpu", 1),)
