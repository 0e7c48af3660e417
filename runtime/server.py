"""Running it: the socket first, then the model on its own thread, then requests until SIGTERM."""

import gc
import signal
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from runtime import api, engine, health, model_files, service, settings
from telemetry import logs

KEEP_ALIVE_SECONDS = 120
"""Longer than the idle time of clients and proxies (Go: 90 s), so that they close first."""
BACKLOG = 2048
"""Connections that may wait to be accepted; uvicorn's own number."""
ABANDON_SECONDS = 2.0
"""How long a load or a token at hand is waited for once nobody wants it."""


class PortTaken(Exception):
    """The port cannot be listened on; the message says which and why."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PortTaken: it is in use, or not ours to use.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)  # from here on a client waits rather than being refused
    except OSError as error:
        listening.close()
        raise PortTaken(f"--port: cannot listen on {port}: {error.strerror}") from error
    return listening


def run(chosen: settings.Settings, listening: socket.socket) -> tuple[Exception | None, bool]:
    """Serve until SIGTERM or SIGINT, or until the model cannot be loaded.

    Returns why it could not be loaded (None: it was, or nobody waited), and whether the engine's
    thread has ended; one that has not holds up the interpreter's exit.
    """
    state = health.Health()
    running = engine.Engine(
        lambda: _load(chosen),
        state,
        waiting_limit=chosen.waiting_limit,
        ended=lambda: setattr(server, "should_exit", True),
    )
    served = service.Service(
        running=running,
        health=state,
        served_name=chosen.serve.served_name,
        body_limit_bytes=chosen.body_limit_bytes,
        now=lambda: datetime.now(UTC).timestamp(),
    )
    server = uvicorn.Server(
        uvicorn.Config(
            api.build(served),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
    )
    # uvicorn drains on the signal and then raises it again for whoever handled it before: us, so
    # that a drained server exits 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    running.start()
    logs.info("listening", host=chosen.host, port=listening.getsockname()[1])
    server.run(sockets=[listening])
    logs.info("stopped", phase=state.phase)
    return running.failure, running.stop(ABANDON_SECONDS)


def _load(chosen: settings.Settings) -> engine.Model:
    """The model, on the calling thread; files are looked at before torch is imported."""
    directory = _directory(chosen)
    model_files.check(directory)
    # Importing torch and transformers makes two million objects that stay: collecting among them
    # costs a tenth of the start.
    gc.disable()
    try:
        return _load_quietly(chosen, directory)
    finally:
        gc.freeze()
        gc.enable()


def _directory(chosen: settings.Settings) -> Path:
    source = model_files.locate(chosen.serve.model, chosen.serve.revision, chosen.models)
    if isinstance(source, Path):
        return source
    from runtime import hub  # noqa: PLC0415 - only for models that are not on disk

    began = time.monotonic()
    directory = hub.fetch(source)
    logs.info("fetched", model=source.name, seconds=f"{time.monotonic() - began:.2f}")
    return directory


def _load_quietly(chosen: settings.Settings, directory: Path) -> engine.Model:
    began = time.monotonic()
    from runtime import generate, loading  # noqa: PLC0415 - torch: on this thread, not at start

    logs.info("libraries_imported", seconds=f"{time.monotonic() - began:.2f}")
    loaded = loading.load(
        directory,
        dtype=chosen.serve.dtype,
        context_tokens=chosen.serve.context_tokens,
        cpus=chosen.cpus,
        threads=chosen.threads,
    )
    if chosen.serve.adapters:
        from runtime import adapters  # noqa: PLC0415 - peft: seconds that a model without saves

        adapters.attach(loaded.model, chosen.serve.adapters)
    return generate.Generator(loaded)
