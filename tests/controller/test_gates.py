"""P17: the planner is dead and pods wait behind its gate."""

from typing import Any

import pytest

from controller import gates, loop, settings, views
from kubeapi import api, events, host, leases
from kubeapi.client import Client
from tests import apiserver
from tests.controller import objects

_POD = views.GatedPod("default/a", "uid-a")


def _pod(*names: str) -> dict[str, Any]:
    meta = {"name": "a", "namespace": "default", "uid": "uid-a"}
    meta_labels = {"labels": {"kaito.sh/managed": "true"}}
    return {
        "metadata": meta | meta_labels,
        "spec": {"schedulingGates": [{"name": n} for n in names]},
    }


def _watchdog(client: Client) -> gates.Watchdog:
    return gates.Watchdog(client, events.Recorder(client, "tests", host.REAL.now), leases.PLANNER)


def _is_gated(server: apiserver.ApiServer) -> bool:
    return "schedulingGates" in server.all("pods")[0]["spec"]


def _renew(server: apiserver.ApiServer) -> None:
    namespace, name = leases.PLANNER
    server.put("leases", {"metadata": {"name": name, "namespace": namespace}, "spec": {}})


def test_while_the_planner_renews_its_lease_nobody_touches_the_gate(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("pods", _pod("kaito.sh/provisioning"))
    watchdog = _watchdog(client)
    for now in range(0, 5000, 100):
        _renew(server)
        assert watchdog.work([_POD], 1000.0 + now)
    assert _is_gated(server)


def test_a_planner_that_falls_silent_no_longer_holds_pods(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("pods", _pod("kaito.sh/provisioning"))
    _renew(server)
    watchdog = _watchdog(client)
    watchdog.work([_POD], 1000.0)
    watchdog.work([_POD], 1000.0 + gates.DEAD_SECONDS - 1)
    assert _is_gated(server)
    watchdog.work([_POD], 1000.0 + gates.DEAD_SECONDS)
    assert not _is_gated(server)
    assert [event["reason"] for event in server.all("events")] == ["GateLifted"]


def test_a_planner_that_was_never_there_does_not_hold_pods(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.put("pods", _pod("kaito.sh/provisioning"))
    watchdog = _watchdog(client)
    watchdog.work([_POD], 1000.0)
    assert _is_gated(server)
    watchdog.work([_POD], 1000.0 + gates.DEAD_SECONDS)
    assert not _is_gated(server)


def test_without_waiting_pods_nothing_is_asked(server: apiserver.ApiServer, client: Client) -> None:
    assert _watchdog(client).work([], 1000.0) is None
    assert server.requests == []


def test_where_the_planner_has_no_lease_nothing_tells_that_it_is_dead(
    server: apiserver.ApiServer, client: Client
) -> None:
    watchdog = gates.Watchdog(client, events.Recorder(client, "tests", host.REAL.now), None)
    assert watchdog.work([_POD], 1000.0) is None
    assert watchdog.work([_POD], 1000.0 + gates.DEAD_SECONDS) is None
    assert server.requests == []


def test_a_quota_in_one_namespace_keeps_no_gate_shut_in_another(
    server: apiserver.ApiServer, client: Client
) -> None:
    server.refused["PATCH", "services"] = 403
    server.put("deployments", objects.workload())
    server.put("pods", _pod("kaito.sh/provisioning"))
    made = loop.Controller(client, settings.Settings())
    for kept in made._mirrors:
        kept._list()
    with pytest.raises(api.Forbidden):
        made.run_pass()
    assert ("GET", leases.path(*leases.PLANNER)) in server.requests


def test_only_our_gate_alone_is_watched() -> None:
    assert views.gated_pod(_pod("kaito.sh/provisioning")) == _POD
    assert views.gated_pod(_pod("kaito.sh/provisioning", "team/quota")) is None
    assert views.gated_pod(_pod()) is None


def test_the_controller_keeps_the_watch(server: apiserver.ApiServer, client: Client) -> None:
    server.put("pods", _pod("kaito.sh/provisioning"))
    made = loop.Controller(client, settings.Settings())
    for kept in made._mirrors:
        kept._list()
    assert made.run_pass() is not None
    path = leases.path(*leases.PLANNER)
    assert ("GET", path) in server.requests
