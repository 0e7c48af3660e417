"""The machine provider on a real API server, with fake nodes in place of machines."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import api as apis
from deploy.local import claims, machines, provider, settings
from deploy.local.fake_nodes import FakeNodes

pytestmark = pytest.mark.controlplane


def claim(name: str, instance_type: str, group: str = claims.NODE_CLASS_GROUP) -> dict[str, Any]:
    """A NodeClaim as the planner writes it."""
    return {
        "apiVersion": claims.GROUP,
        "kind": "NodeClaim",
        "metadata": {"name": name},
        "spec": {
            "nodeClassRef": {"group": group, "kind": "LocalMachineClass", "name": "default"},
            "requirements": [
                {"key": claims.INSTANCE_TYPE, "operator": "In", "values": [instance_type]},
            ],
            "resources": {"requests": {"nvidia.com/gpu": "1"}},
            "expireAfter": "Never",
        },
    }


class Machines:
    """Stands in for `deploy.local.machines`: a machine is a fake node."""

    def __init__(self, nodes: FakeNodes) -> None:
        self.nodes = nodes
        self.running: set[str] = set()
        self.created: list[str] = []

    def create(self, _site: object, machine: machines.Machine, _index: int) -> None:
        self.running.add(machine.name)
        self.created.append(machine.name)
        self.nodes.add(machine.name, {"nvidia.com/gpu": "1"}, machine.labels)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machines, "create", self.create)
        monkeypatch.setattr(machines, "remove", lambda _, name: self.running.discard(name))
        monkeypatch.setattr(machines, "existing", lambda _: sorted(self.running))
        monkeypatch.setattr(machines, "is_alive", lambda _, name: name in self.running)
        monkeypatch.setattr(machines, "free_index", lambda _: 1)


@pytest.fixture
def fleet(
    cluster_api: apis.Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Machines]:
    """A provider that runs for the test, and the machines that it made."""
    loaded = some_settings(tmp_path)
    with FakeNodes(cluster_api) as nodes:
        made = Machines(nodes)
        made.install(monkeypatch)
        monkeypatch.setattr(provider, "WATCH_SECONDS", 1)
        with running_provider(cluster_api, loaded):
            yield made
        for item in cluster_api.get(claims.COLLECTION)["items"]:
            name = item["metadata"]["name"]
            cluster_api.patch(f"{claims.COLLECTION}/{name}", {"metadata": {"finalizers": None}})
            cluster_api.delete(f"{claims.COLLECTION}/{name}")


def some_settings(path: Path) -> settings.Settings:
    """Settings of a cluster that only its name matters of."""
    return settings.Settings(
        name="test",
        octet=99,
        binaries=path,
        registry=path,
        registry_storage=path,
        torch_stack=path,
        hub_cache=path,
        idle_ttl_seconds=1,
        no_spot=("Standard_NC24ads_A100_v4",),
    )


@contextlib.contextmanager
def running_provider(api: apis.Api, loaded: settings.Settings) -> Iterator[None]:
    """A provider that runs for the block."""
    made = provider.Provider(api, loaded)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield
    made.stop()
    thread.join(20)


def until(holds: Callable[[], object]) -> None:
    """Waits up to 20 seconds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def find(api: apis.Api, name: str) -> dict[str, Any] | None:
    """The claim, or None."""
    try:
        return api.get(f"{claims.COLLECTION}/{name}")
    except apis.NotFound:
        return None


def initialized(api: apis.Api, name: str) -> bool:
    found = find(api, name)
    return found is not None and claims.is_initialized(found.get("status", {}))


def test_a_claim_becomes_an_initialized_node_and_goes_with_its_machine(
    cluster_api: apis.Api, fleet: Machines
) -> None:
    cluster_api.create(claims.COLLECTION, claim("ws1", "Standard_NC6s_v3"))
    until(lambda: initialized(cluster_api, "ws1"))
    node = cluster_api.get("/api/v1/nodes/ws1")
    assert node["metadata"]["labels"][claims.INSTANCE_TYPE] == "Standard_NC6s_v3"
    bought = cluster_api.get(f"{claims.COLLECTION}/ws1")["metadata"]["labels"]
    assert bought[claims.INSTANCE_TYPE] == "Standard_NC6s_v3"
    until(lambda: claims.INITIALIZED in cluster_api.get("/api/v1/nodes/ws1")["metadata"]["labels"])

    cluster_api.delete(f"{claims.COLLECTION}/ws1")

    until(lambda: find(cluster_api, "ws1") is None)
    assert fleet.running == set()
    with pytest.raises(apis.NotFound):
        cluster_api.get("/api/v1/nodes/ws1")


def test_an_unknown_type_is_refused_with_an_event_and_the_claim_is_gone(
    cluster_api: apis.Api, fleet: Machines
) -> None:
    cluster_api.create(claims.COLLECTION, claim("ws2", "Standard_Nothing"))
    until(lambda: find(cluster_api, "ws2") is None)
    events = cluster_api.get("/api/v1/namespaces/default/events")["items"]
    ours = [e for e in events if e["involvedObject"].get("name") == "ws2"]
    assert [(e["reason"], e["message"]) for e in ours] == [
        ("InsufficientCapacityError", "none of the instance types asked for is sold here")
    ]
    assert fleet.created == []


def test_a_spot_machine_that_cannot_be_had_is_refused_and_one_on_demand_is_sold(
    cluster_api: apis.Api, fleet: Machines
) -> None:
    for name, capacity in (("ws6", "spot"), ("ws7", "on-demand")):
        asked = claim(name, "Standard_NC24ads_A100_v4")
        only = {"key": claims.CAPACITY_TYPE, "operator": "In", "values": [capacity]}
        asked["spec"]["requirements"].append(only)
        cluster_api.create(claims.COLLECTION, asked)
    until(lambda: find(cluster_api, "ws6") is None)
    until(lambda: initialized(cluster_api, "ws7"))
    assert fleet.created == ["ws7"]
    events = cluster_api.get("/api/v1/namespaces/default/events")["items"]
    said = [e["message"] for e in events if e["involvedObject"].get("name") == "ws6"]
    assert said == ["no spot machine of Standard_NC24ads_A100_v4 can be had now"]


def test_a_full_host_refuses_and_keeps_what_it_has(
    cluster_api: apis.Api, fleet: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "MACHINES", 1)
    fleet.running.add(settings.SYSTEM_MACHINE)
    cluster_api.create(claims.COLLECTION, claim("ws3", "Standard_NC6s_v3"))
    until(lambda: initialized(cluster_api, "ws3"))
    cluster_api.create(claims.COLLECTION, claim("ws4", "Standard_NC6s_v3"))
    until(lambda: find(cluster_api, "ws4") is None)
    assert fleet.created == ["ws3"]


def test_a_foreign_claim_is_left_alone(cluster_api: apis.Api, fleet: Machines) -> None:
    cluster_api.create(
        claims.COLLECTION, claim("ws5", "Standard_NC6s_v3", group="karpenter.azure.com")
    )
    cluster_api.create(claims.COLLECTION, claim("ws6", "Standard_NC6s_v3"))
    until(lambda: initialized(cluster_api, "ws6"))
    assert fleet.created == ["ws6"]
    foreign = find(cluster_api, "ws5")
    assert foreign is not None
    assert "finalizers" not in foreign["metadata"]
    assert "status" not in foreign


def test_a_machine_whose_claim_went_unseen_is_removed(
    cluster_api: apis.Api, fleet: Machines
) -> None:
    """As after a crash of the provider: a machine is there, its claim is not."""
    fleet.running.add("stray")
    cluster_api.create(claims.COLLECTION, claim("ws7", "Standard_NC6s_v3"))
    until(lambda: initialized(cluster_api, "ws7"))
    with running_provider(cluster_api, some_settings(Path())):
        until(lambda: fleet.running == {"ws7"})
    assert fleet.created == ["ws7"], "adopted, not booted twice"


class LateClaims:
    """The API, whose list of claims comes a while after the list of nodes."""

    def __init__(self, api: apis.Api) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def get(self, path: str) -> dict[str, Any]:
        if path == claims.COLLECTION:
            time.sleep(0.5)
        return self._api.get(path)


def test_a_machine_is_kept_while_the_claims_are_not_yet_known(
    cluster_api: apis.Api, fleet: Machines
) -> None:
    """As after a restart of the provider: a node is seen before its claim is."""
    cluster_api.create(claims.COLLECTION, claim("ws8", "Standard_NC6s_v3"))
    until(lambda: initialized(cluster_api, "ws8"))
    late: Any = LateClaims(cluster_api)
    with running_provider(late, some_settings(Path())):
        time.sleep(1.0)
        assert fleet.running == {"ws8"}
    assert fleet.created == ["ws8"]
