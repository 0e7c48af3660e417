"""The controller against an API server in memory, through faults and restarts."""

import time

import pytest

from kubeapi import api
from tests import apiserver
from tests.apiserver import until
from tests.controller import objects
from tests.controller.conftest import Start

pytestmark = pytest.mark.slow  # mostly waits: over five seconds in all

_QUIET_SECONDS = 0.15
"""Long enough for a pass of the fast settings."""


def _service(server: apiserver.ApiServer, name: str = "chat") -> api.Object:
    found: api.Object = until(lambda: server.objects.get(("services", f"team-a/{name}")))
    return found


def _writes(server: apiserver.ApiServer) -> int:
    return sum(server.count(method, "services") for method in ("PATCH", "POST", "DELETE"))


@pytest.mark.parametrize("plural", ["deployments", "statefulsets"])
def test_a_labelled_workload_gets_its_service(
    server: apiserver.ApiServer, start: Start, plural: str
) -> None:
    start()
    server.put(plural, objects.workload())
    made = _service(server)
    assert made["spec"]["selector"] == {"app": "chat"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-chat"


def test_a_service_that_is_right_is_not_written_again(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("deployments", objects.workload())
    start()
    _service(server)
    start()
    time.sleep(_QUIET_SECONDS)
    server.put(
        "deployments", objects.workload(annotations={"deployment.kubernetes.io/revision": "2"})
    )
    time.sleep(_QUIET_SECONDS)
    assert _writes(server) == 1


def test_a_service_that_was_changed_is_mended(server: apiserver.ApiServer, start: Start) -> None:
    start()
    server.put("deployments", objects.workload())
    _service(server)
    server.change("services", "team-a/chat", lambda s: s["spec"].update(selector={"app": "x"}))
    until(lambda: _service(server)["spec"]["selector"] == {"app": "chat"})


def test_the_service_goes_with_the_label(server: apiserver.ApiServer, start: Start) -> None:
    start()
    server.put("deployments", objects.workload())
    _service(server)
    server.put("deployments", objects.workload(labels={}))
    until(lambda: server.all("services") == [])


def test_the_service_follows_a_workload_that_was_made_anew(
    server: apiserver.ApiServer, start: Start
) -> None:
    start()
    server.put("deployments", objects.workload())
    _service(server)
    server.remove("deployments", "team-a/chat")
    server.put("deployments", objects.workload(uid="uid-again"))
    until(
        lambda: (
            [s["metadata"]["ownerReferences"][0]["uid"] for s in server.all("services")]
            == ["uid-again"]
        )
    )


def test_none_means_no_service_and_takes_one_back(
    server: apiserver.ApiServer, start: Start
) -> None:
    start()
    server.put("deployments", objects.workload())
    _service(server)
    server.put("deployments", objects.workload(annotations={"kaito.sh/service": "none"}))
    until(lambda: server.all("services") == [])


def test_a_users_service_wins_and_the_workload_is_told_once(
    server: apiserver.ApiServer, start: Start
) -> None:
    own = server.put("services", objects.own_service())
    server.put("deployments", objects.workload())
    start()
    (said,) = until(lambda: server.all("events"))
    assert (said["reason"], said["involvedObject"]["name"]) == ("ServiceConflict", "chat")
    start()
    until(lambda: server.count("POST", "events") == 2)
    assert (server.all("services"), len(server.all("events"))) == ([own], 1)
    assert _writes(server) == 0


def test_when_the_users_service_goes_ours_takes_its_place(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.put("services", objects.own_service())
    server.put("deployments", objects.workload())
    start()
    until(lambda: server.all("events"))
    server.remove("services", "team-a/chat")
    assert _service(server)["spec"]["selector"] == {"app": "chat"}


def test_a_users_service_that_the_watch_has_not_shown_yet_wins_too(
    server: apiserver.ApiServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = start()
    monkeypatch.setattr(started._services, "views", lambda: ())
    own = server.put("services", objects.own_service())
    server.put("deployments", objects.workload())
    until(lambda: server.count("GET", "services/chat"))
    time.sleep(_QUIET_SECONDS)
    assert server.all("services") == [own]


def test_a_service_that_the_api_server_rejects_is_told_and_not_sent_again(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.refused["PATCH", "services"] = 422
    server.put("deployments", objects.workload())
    start()
    (said,) = until(lambda: server.all("events"))
    assert said["reason"] == "ServiceRejected"
    server.put("deployments", objects.workload("other"))
    until(lambda: server.count("PATCH", "services/other"))
    assert server.count("PATCH", "services/chat") == 1


def test_a_namespace_over_its_quota_holds_up_no_other(
    server: apiserver.ApiServer, start: Start
) -> None:
    server.refused["PATCH", "a"] = 403
    server.put("deployments", objects.workload("a"))
    server.put("deployments", objects.workload("b"))
    start()
    _service(server, "b")
    (said,) = until(lambda: server.all("events"))
    assert (said["reason"], said["involvedObject"]["name"]) == ("ServiceRejected", "a")
    server.refused.clear()
    _service(server, "a")


@pytest.mark.parametrize("status", [403, 500])
def test_a_failing_write_is_tried_again_with_pauses(
    server: apiserver.ApiServer, start: Start, status: int
) -> None:
    server.refused["PATCH", "services"] = status
    server.put("deployments", objects.workload())
    start()
    until(lambda: server.count("PATCH", "services") == 1)
    time.sleep(_QUIET_SECONDS)
    assert server.count("PATCH", "services") == 1
    server.refused.clear()
    _service(server)


@pytest.mark.parametrize("fault", ["drop", "compact", "restart"])
def test_whatever_happens_to_its_watches_the_services_come_right(
    server: apiserver.ApiServer, start: Start, fault: str
) -> None:
    start()
    server.put("deployments", objects.workload("a"))
    _service(server, "a")
    if fault == "restart":
        server.stop()
    with server._lock:
        server.put("deployments", objects.workload("b"))
        server.remove("deployments", "team-a/a")
        if fault == "compact":
            server.compact()
    if fault == "restart":
        server.start()
    else:
        server.drop_watches()
    until(lambda: [s["metadata"]["name"] for s in server.all("services")] == ["b"])
