"""Names that repeat."""

import re

from node_provisioner import names, views
from presets import provision_spec

_CHAT = views.Workload("default", "Deployment", "chat")
_SPEC = provision_spec.ProvisionSpec(("Standard_NC6s_v3",), 1)


def test_a_claims_name_never_changes_between_versions() -> None:
    """A planner of another version must meet the claims of this one, not buy beside them."""
    assert names.claim(_CHAT, _SPEC, 0, 0) == "ws08e9532a3"


def test_every_part_of_a_purchase_is_in_its_name() -> None:
    other_spec = provision_spec.ProvisionSpec(("Standard_NC6s_v3",), 2)
    found = {
        names.claim(_CHAT, _SPEC, 0, 0),
        names.claim(views.Workload("other", "Deployment", "chat"), _SPEC, 0, 0),
        names.claim(views.Workload("default", "StatefulSet", "chat"), _SPEC, 0, 0),
        names.claim(views.Workload("default", "Deployment", "tchat"), _SPEC, 0, 0),
        names.claim(_CHAT, other_spec, 0, 0),
        names.claim(_CHAT, _SPEC, 1, 0),
        names.claim(_CHAT, _SPEC, 0, 1),
    }
    assert len(found) == 7


def test_a_claims_name_fits_every_provider() -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]{0,10}", names.claim(_CHAT, _SPEC, 3, 4))
