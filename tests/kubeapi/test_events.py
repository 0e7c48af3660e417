"""An event is said once, by whichever process, and never costs the loop anything."""

from datetime import UTC, datetime

import pytest

from kubeapi import api, events
from kubeapi.client import Client
from tests import apiserver

POD = events.Subject("v1", "Pod", "team-a", "chat-0", "uid-1")
WAITS = events.Reason("NodeRequested", "no node can take the pod", warning=False)


def recorder(client: Client) -> events.Recorder:
    return events.Recorder(client, "plainsail-tests", lambda: datetime(2026, 1, 2, tzinfo=UTC))


def test_an_event_says_what_about_whom_and_when(
    server: apiserver.ApiServer, client: Client
) -> None:
    recorder(client).tell(POD, WAITS, "ws1")
    (found,) = server.all("events")
    assert found["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "team-a",
        "name": "chat-0",
        "uid": "uid-1",
    }
    assert (found["type"], found["reason"]) == ("Normal", "NodeRequested")
    assert found["firstTimestamp"] == "2026-01-02T00:00:00Z"


def test_the_same_is_said_once_by_any_number_of_processes(
    server: apiserver.ApiServer, client: Client
) -> None:
    for _ in range(2):
        told = recorder(client)
        told.tell(POD, WAITS)
        told.tell(POD, WAITS)
    assert len(server.all("events")) == 1


def test_another_topic_is_said_though_the_code_is_the_same(
    server: apiserver.ApiServer, client: Client
) -> None:
    told = recorder(client)
    told.tell(POD, WAITS, "ws1")
    told.tell(POD, WAITS, "ws2")
    assert len(server.all("events")) == 2
    assert told.topic("uid-1", "NodeRequested") == "ws2"
    told.keep(set())
    assert told.topic("uid-1", "NodeRequested") == ""


def test_a_refused_event_is_let_go_and_an_absent_server_is_asked_again(
    server: apiserver.ApiServer, client: Client
) -> None:
    told = recorder(client)
    server.failures.append(503)
    with pytest.raises(api.Unavailable):
        told.tell(POD, WAITS)
    server.failures.append(403)
    told.tell(POD, WAITS)
    told.tell(POD, WAITS)
    assert server.all("events") == []


def test_its_name_is_a_valid_one_for_the_longest_name_of_an_object() -> None:
    longest = events.Subject("v1", "Pod", "ns", "p" * 253, "uid")
    assert len(events.event_name(longest, "NodeRequested", "ws1")) <= 253
