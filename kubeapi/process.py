"""A control-plane program as a process: from its start to SIGTERM."""

import signal
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from kubeapi import api, client
from telemetry import logs

_LAST_SECONDS = 0.8
"""A pass under way at SIGTERM gets this long; one that is cut off is made again at the start."""


class Program(Protocol):
    """What a process runs."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        ...

    def wake(self) -> None:
        """See that `stop` was set."""
        ...


def run(name: str, kubeconfig: str | None, make: Callable[[api.Api], Program]) -> int:
    """Run the program until SIGTERM or SIGINT; exit status: 1 when no cluster is configured."""
    logs.configure()
    try:
        cluster = client.connect(kubeconfig, program=name)
    except client.NoCluster as error:
        print(error, file=sys.stderr)  # noqa: T201 - the program's edge, before anything is logged
        return 1
    program, stop = make(cluster), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = threading.Thread(target=program.run, args=(stop,), daemon=True)
    worker.start()
    stop.wait()
    program.wake()
    worker.join(_LAST_SECONDS)
    return 0
