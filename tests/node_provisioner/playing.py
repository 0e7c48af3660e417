"""A provider, and one who looks: what tests do by hand to an API server in memory."""

import time
from collections.abc import Callable

from kubeapi import api
from presets import provision_spec
from tests import apiserver
from tests.apiserver import until
from tests.node_provisioner import objects

TWO_TYPES = provision_spec.ProvisionSpec(("Standard_NC6s_v3", "Standard_NC24ads_A100_v4"), 1)
QUIET_SECONDS = 0.15
"""Long enough for several passes of the fast settings."""


def claims(server: apiserver.ApiServer, count: int = 1) -> list[api.Object]:
    """The claims, once there are so many; and they stay so many."""
    until(lambda: len(server.all("nodeclaims")) == count)
    time.sleep(QUIET_SECONDS)
    found = server.all("nodeclaims")
    assert len(found) == count
    return found


def bought(
    server: apiserver.ApiServer, spec: provision_spec.ProvisionSpec = objects.SPEC
) -> api.Object:
    """The claim of a pod `a` that has only now come."""
    server.put("pods", objects.pod("a", spec=spec))
    (claim,) = claims(server)
    return claim


def type_of(claim: api.Object) -> str:
    return str(claim["spec"]["requirements"][0]["values"][0])


def types(server: apiserver.ApiServer) -> list[str]:
    """Instance types of the claims that there are."""
    return [type_of(claim) for claim in server.all("nodeclaims")]


def event(server: apiserver.ApiServer, reason: str) -> api.Object:
    found: api.Object = until(
        lambda: next((e for e in server.all("events") if e["reason"] == reason), None)
    )
    return found


def fulfil(server: apiserver.ApiServer, claim: api.Object, node: str = "n1") -> None:
    name = claim["metadata"]["name"]
    server.put("nodes", objects.node(node, claim=name))
    server.change("nodeclaims", name, objects.initialized)


def served(server: apiserver.ApiServer) -> api.Object:
    """The claim of a node `n1` on which a pod has run that is gone."""
    claim = bought(server)
    fulfil(server, claim)
    server.put("pods", objects.bound("a", "n1"))
    server.remove("pods", "default/a")
    return claim


def refuse(
    server: apiserver.ApiServer, only: str = "", first: Callable[[api.Object], object] | None = None
) -> None:
    """From now on a claim, of this instance type or of any, is deleted as soon as it is there.

    `first` is what its provider does to it before.
    """

    def end(claim: api.Object) -> None:
        if first:
            first(claim)
        server.remove("nodeclaims", claim["metadata"]["name"])

    _to_each_claim(server, only, end)


def fails(server: apiserver.ApiServer, message: str, only: str = "") -> None:
    """From now on a claim is not launched, with these words; its provider keeps it."""
    failed = {"type": "Launched", "status": "Unknown", "reason": "LaunchFailed", "message": message}
    _to_each_claim(
        server,
        only,
        lambda claim: server.change(
            "nodeclaims",
            claim["metadata"]["name"],
            lambda o: o.update(status={"conditions": [failed]}),
        ),
    )


def _to_each_claim(
    server: apiserver.ApiServer, only: str, act: Callable[[api.Object], object]
) -> None:
    def created(plural: str, item: api.Object) -> None:
        if plural == "nodeclaims" and only in ("", type_of(item)):
            act(item)

    server.on_create = created


DEPLOYMENT: api.Object = {"metadata": {"name": "chat", "namespace": "default"}, "spec": {}}


def told_workload(server: apiserver.ApiServer, reason: str) -> list[str]:
    return [
        event["message"]
        for event in server.all("events")
        if event["reason"] == reason and event["involvedObject"]["kind"] == "Deployment"
    ]


def event_about(claim: api.Object, message: str) -> api.Object:
    about = {"kind": "NodeClaim", "uid": claim["metadata"]["uid"]}
    meta = {"name": f"{claim['metadata']['name']}.1", "namespace": "default"}
    told = {"type": "Warning", "reason": "InsufficientCapacityError", "message": message}
    return {"metadata": meta, "involvedObject": about, **told}
