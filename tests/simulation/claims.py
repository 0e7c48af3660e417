"""What the simulation reads of NodeClaims, as a provider does: from the manifest alone."""

from dataclasses import dataclass

from kubeapi import api, objects

PATH = "/apis/karpenter.sh/v1/nodeclaims"
OURS = "kaito.sh/claim"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"
CAPACITY_TYPE = "karpenter.sh/capacity-type"

Offer = tuple[str, str]
"""Instance type and capacity type."""


@dataclass(frozen=True)
class Claim:
    """One NodeClaim."""

    name: str
    uid: str
    ours: bool
    workload: str
    """namespace/Kind/name."""
    offer: Offer
    node: str
    launched: bool
    initialized: bool
    ending: bool


def read(raw: api.Object) -> Claim:
    """What it says."""
    meta, status = raw["metadata"], raw.get("status", {})
    labels, noted = meta.get("labels", {}), meta.get("annotations", {})
    asked = {r["key"]: r["values"][0] for r in raw["spec"].get("requirements", ())}
    namespace = labels.get("kaito.sh/workload-namespace", "")
    return Claim(
        name=meta["name"],
        uid=meta["uid"],
        ours=OURS in labels,
        workload=f"{namespace}/{noted.get('kaito.sh/workload-name', '')}",
        offer=(asked.get(INSTANCE_TYPE, ""), asked.get(CAPACITY_TYPE, "")),
        node=status.get("nodeName", ""),
        launched=objects.is_true(status, "Launched"),
        initialized=objects.is_true(status, "Initialized"),
        ending="deletionTimestamp" in meta,
    )
