"""The extender as a program: the watcher in one thread, the server in another."""

import socket
import sys
import threading
from datetime import UTC, datetime

import uvicorn

from kubeapi import api
from scheduler_ext import app, cluster, metrics
from telemetry import logs

KEEP_ALIVE_SECONDS = 120
"""Above the 90 s after which kube-scheduler drops an idle connection itself.

A server that is the first to close loses the request that is on its way: with uvicorn's 5 s, 4 of
420 calls five seconds apart ended in EOF; with this none did.
"""


SWITCH_SECONDS = 0.0005
"""A question waits so long for the thread that reads the cluster; Python's own limit is 5 ms."""


class Extender:
    """Answers on `listener` until it is stopped."""

    def __init__(self, cluster_api: api.Api, listener: socket.socket) -> None:
        self._listener = listener
        counted = metrics.Metrics(datetime.now(UTC).timestamp())
        self._watcher = cluster.Watcher(cluster_api, counted)
        self._server = uvicorn.Server(_config(app.App(self._watcher, counted)))

    def run(self, stop: threading.Event) -> None:
        """Watch and answer until `stop` is set."""
        sys.setswitchinterval(SWITCH_SECONDS)
        threading.Thread(target=self._watcher.run, args=(stop,), daemon=True).start()
        host, port = self._listener.getsockname()[:2]
        logs.info("serving", host=host, port=port)
        self._server.run(sockets=[self._listener])

    def wake(self) -> None:
        """See that `stop` was set: end the server and the watcher."""
        self._server.should_exit = True
        self._watcher.wake()


def _config(served: app.App) -> uvicorn.Config:
    return uvicorn.Config(
        served,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=False,
    )
