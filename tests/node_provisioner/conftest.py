"""An API server in memory, and a planner that runs against it."""

import threading
from collections.abc import Callable, Iterator

import pytest

from kubeapi.client import Client
from node_provisioner import loop, settings

FAST = settings.Settings(batch_idle_seconds=0.02, batch_longest_seconds=0.1)
"""Settings of tests: the same program, less patient."""

Start = Callable[..., loop.Planner]


@pytest.fixture
def start(client: Client) -> Iterator[Start]:
    """Starts planners; they are stopped after the test."""
    running: list[tuple[loop.Planner, threading.Event, threading.Thread]] = []

    def start_planner(chosen: settings.Settings = FAST) -> loop.Planner:
        planner, stop = loop.Planner(client, chosen), threading.Event()
        worker = threading.Thread(target=planner.run, args=(stop,), daemon=True)
        running.append((planner, stop, worker))
        worker.start()
        return planner

    yield start_planner
    for planner, stop, worker in running:
        stop.set()
        planner.wake()
        worker.join(2.0)
        assert not worker.is_alive()
