"""An API server in memory, and a controller that runs against it."""

import threading
from collections.abc import Callable, Iterator

import pytest

from controller import loop, settings
from kubeapi.client import Client

FAST = settings.Settings(batch_idle_seconds=0.02, batch_longest_seconds=0.1)
"""Settings of tests: the same program, less patient."""

Start = Callable[[], loop.Controller]


@pytest.fixture
def start(client: Client) -> Iterator[Start]:
    """Starts controllers; they are stopped after the test."""
    running: list[tuple[loop.Controller, threading.Event, threading.Thread]] = []

    def start_controller() -> loop.Controller:
        controller, stop = loop.Controller(client, FAST), threading.Event()
        worker = threading.Thread(target=controller.run, args=(stop,), daemon=True)
        running.append((controller, stop, worker))
        worker.start()
        return controller

    yield start_controller
    for controller, stop, worker in running:
        stop.set()
        controller.wake()
        worker.join(2.0)
        assert not worker.is_alive()
