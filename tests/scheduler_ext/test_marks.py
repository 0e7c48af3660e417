"""Marks against an API server in memory, by a clock of the test's own."""

import logging
from datetime import UTC, datetime
from typing import cast

import pytest

from kubeapi import host
from kubeapi.client import Client
from presets import scheduling
from scheduler_ext import marks, metrics
from tests import apiserver
from tests.scheduler_ext import objects

NAMES = [f"n{number:02}" for number in range(50)]


class _Clock:
    seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class _Marking:
    def __init__(self, client: Client) -> None:
        self.clock = _Clock()
        self.metrics = metrics.Metrics()
        self.marks = marks.Marks(client, self.metrics, cast("host.Host", self.clock))


@pytest.fixture
def marking(server: apiserver.ApiServer, client: Client) -> _Marking:
    """Fifty nodes, none of them marked."""
    for name in NAMES:
        server.put("nodes", objects.raw_node(name))
    return _Marking(client)


def marked(server: apiserver.ApiServer) -> list[str]:
    """Nodes that offer the marker."""
    nodes = [server.objects["nodes", name] for name in NAMES]
    return [
        node["metadata"]["name"]
        for node in nodes
        if node["status"]["allocatable"].get(scheduling.MARKER) == marks.AMOUNT
    ]


def test_nothing_but_the_marker_is_written(server: apiserver.ApiServer, marking: _Marking) -> None:
    before = objects.raw_node("n00")["status"]
    marking.marks.write(["n00"])
    after = server.objects["nodes", "n00"]["status"]
    amount = {scheduling.MARKER: marks.AMOUNT}
    assert after == before | {"allocatable": before["allocatable"] | amount, "capacity": amount}
    assert server.requests == [("PATCH", "/api/v1/nodes/n00/status")]
    assert marking.metrics.marked == 1


def test_twenty_nodes_are_written_in_a_pass_and_none_twice(
    server: apiserver.ApiServer, marking: _Marking
) -> None:
    """The snapshot hears of it late, so that the nodes are named again meanwhile."""
    waits = [marking.marks.write(NAMES) for _ in range(4)]
    assert waits == [0.0, 0.0, 5.0, 5.0]
    assert marked(server) == NAMES
    assert len(server.requests) == len(NAMES)
    assert marking.marks.write([]) is None


def test_a_mark_that_is_lost_is_written_again(
    server: apiserver.ApiServer, marking: _Marking
) -> None:
    """At once where the snapshot has seen it meanwhile, else after a while."""
    for unmarked in (["n00"], [], ["n00"], ["n00"]):
        marking.marks.write(unmarked)
    assert len(server.requests) == 2
    marking.clock.seconds += 5.0
    marking.marks.write(["n00"])
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [403, 422, 500])
def test_a_node_that_cannot_be_marked_is_told_once_tried_again_and_holds_nobody_up(
    server: apiserver.ApiServer,
    marking: _Marking,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.INFO, "plainsail")
    server.refused["PATCH", "n00"] = status
    assert marking.marks.write(NAMES[:3]) == 1.0
    marking.clock.seconds += 0.75
    assert marking.marks.write(NAMES[:3]) == 0.25
    assert server.count("PATCH", "nodes") == 1
    for _ in range(3):
        marking.clock.seconds += 3.0
        marking.marks.write(NAMES[:3])
    assert marked(server) == ["n01", "n02"]
    told = [line for line in caplog.messages if "mark_failed" in line]
    assert len(told) == 1
    assert "node=n00" in told[0]
    assert str(status) in told[0]
    server.refused.clear()
    marking.clock.seconds += 5.0
    marking.marks.write(NAMES[:1])
    assert marked(server) == NAMES[:3]


def test_a_node_that_has_gone_is_no_failure(
    server: apiserver.ApiServer, marking: _Marking, caplog: pytest.LogCaptureFixture
) -> None:
    assert marking.marks.write(["gone", "n00"]) == 5.0
    assert marked(server) == ["n00"]
    assert "mark_failed" not in caplog.text
