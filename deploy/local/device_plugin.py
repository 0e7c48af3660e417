"""A device plugin that advertises simulated GPUs and mounts the model server's stack into pods.

`python -m deploy.local.device_plugin --gpus N --mount CONTAINER=HOST --env KEY=VALUE` speaks the
kubelet's device plugin protocol, v1beta1, with its few messages encoded by `device_messages`.
Main path: `main` -> `run` -> `_serve` -> `Plugin.list_and_watch`, `Plugin.allocate`.
"""

import argparse
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from deploy.local import device_messages as messages
from deploy.local.failures import CannotRun

SOCKET_DIRECTORY = Path("/var/lib/kubelet/device-plugins")
"""Where the kubelet looks, whatever its root directory is."""
RESOURCE = "nvidia.com/gpu"
VISIBLE_DEVICES = "NVIDIA_VISIBLE_DEVICES"
ENDPOINT = "plainsail-gpu.sock"
FIRST_LOOK_SECONDS = 0.02
"""Between looks for a kubelet that starts: part of the time to a machine's first GPU."""
NEXT_LOOK_SECONDS = 1.0
"""Between looks whether the kubelet started anew."""
STREAMS = 4
"""Threads: one for the kubelet's watch, one for a new watch before the old one ends, calls."""


@dataclass(frozen=True)
class Settings:
    """What is advertised, and what a pod with a GPU gets."""

    gpus: int
    mounts: Mapping[str, Path]
    """Directories of this machine by where pods see them, read-only."""
    environment: Mapping[str, str]
    resource: str = RESOURCE
    sockets: Path = SOCKET_DIRECTORY

    @property
    def device_ids(self) -> list[str]:
        """Names of the GPUs."""
        return [f"GPU-{number}" for number in range(self.gpus)]


@dataclass
class Plugin:
    """The answers to the kubelet's calls."""

    settings: Settings
    stopped: threading.Event = field(default_factory=threading.Event)

    def list_and_watch(self, _request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """All devices, healthy; then silence until the stream or the plugin ends."""
        yield messages.device_list(self.settings.device_ids)
        ended = threading.Event()
        if context.add_callback(ended.set):
            while not (ended.wait(NEXT_LOOK_SECONDS) or self.stopped.is_set()):
                pass

    def allocate(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Per container: which GPUs, the environment, the mounts.

        A mount whose directory has gone fails the pod: containerd would mount an empty one.
        """
        gone = missing(self.settings.mounts)
        if gone:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{gone[0]} is not there any more")
        containers = messages.requested_devices(request)
        _log("allocated", devices=",".join(device for ids in containers for device in ids))
        return messages.allocation(
            [{**self.settings.environment, VISIBLE_DEVICES: ",".join(ids)} for ids in containers],
            {path: str(directory) for path, directory in self.settings.mounts.items()},
        )

    def handler(self) -> grpc.GenericRpcHandler:
        """The service as grpc takes it: bytes in, bytes out."""
        unary = grpc.unary_unary_rpc_method_handler
        return grpc.method_handlers_generic_handler(
            "v1beta1.DevicePlugin",
            {
                "GetDevicePluginOptions": unary(_empty),
                "ListAndWatch": grpc.unary_stream_rpc_method_handler(self.list_and_watch),
                "Allocate": unary(self.allocate),
                "GetPreferredAllocation": unary(_empty),
                "PreStartContainer": unary(_empty),
            },
        )


def missing(mounts: Mapping[str, Path]) -> list[Path]:
    """Directories that are not there."""
    return [directory for directory in mounts.values() if not directory.is_dir()]


def run(settings: Settings, stop: threading.Event) -> None:
    """Serves until `stop`; registers anew whenever the kubelet starts anew.

    Raises:
        CannotRun: a directory to mount is missing.
    """
    gone = missing(settings.mounts)
    if gone:
        raise CannotRun(
            f"{gone[0]} is not a directory that this machine sees",
            "containerd would mount an empty one; python -m deploy.local up makes it",
        )
    while not stop.is_set():
        if _answers(settings.sockets / "kubelet.sock"):
            _serve(settings, stop)
        else:
            stop.wait(FIRST_LOOK_SECONDS)


def _serve(settings: Settings, stop: threading.Event) -> None:
    """One registration: ends when the kubelet's or our own socket is another, or on `stop`.

    A kubelet that starts empties the directory, so our socket is made after it answers.
    """
    kubelet, own = settings.sockets / "kubelet.sock", settings.sockets / ENDPOINT
    plugin = Plugin(settings)
    own.unlink(missing_ok=True)
    server = grpc.server(futures.ThreadPoolExecutor(STREAMS), handlers=[plugin.handler()])
    server.add_insecure_port(f"unix:{own}")
    server.start()
    try:
        before = _identity(kubelet)
        _register(settings, kubelet)
        _log("registered", resource=settings.resource, gpus=str(settings.gpus))
        while not stop.wait(NEXT_LOOK_SECONDS):
            if _identity(kubelet) != before or _identity(own) is None:
                _log("kubelet-restarted")
                return
    except grpc.RpcError as error:
        _log("register-failed", code=error.code().name)
        stop.wait(FIRST_LOOK_SECONDS)
    finally:
        plugin.stopped.set()
        server.stop(grace=None).wait()


def _register(settings: Settings, kubelet: Path) -> None:
    with grpc.insecure_channel(f"unix:{kubelet}") as channel:
        call = channel.unary_unary("/v1beta1.Registration/Register")
        call(messages.registration(ENDPOINT, settings.resource), timeout=5)


def _answers(path: Path) -> bool:
    """Whether a process accepts connections on a socket: one left by a kill refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
        return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_ctime_ns


def _empty(_request: bytes, _context: grpc.ServicerContext) -> bytes:
    return b""


def _log(event: str, **values: str) -> None:
    pairs = "".join(f" {key}={value}" for key, value in values.items())
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} device-plugin event={event}{pairs}\n")


def read(argv: Sequence[str]) -> Settings:
    """Settings from the command line; exits with a message on a wrong one."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.device_plugin")
    parser.add_argument("--gpus", type=int, required=True)
    parser.add_argument("--mount", action="append", default=[], metavar="CONTAINER=HOST")
    parser.add_argument("--env", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--resource", default=RESOURCE)
    parser.add_argument("--socket-dir", type=Path, default=SOCKET_DIRECTORY)
    options = parser.parse_args(argv)
    mounts = _pairs(options.mount, "--mount", parser.error)
    return Settings(
        gpus=options.gpus,
        mounts={container: Path(host) for container, host in mounts.items()},
        environment=_pairs(options.env, "--env", parser.error),
        resource=options.resource,
        sockets=options.socket_dir,
    )


def _pairs(texts: Sequence[str], option: str, refuse: Callable[[str], None]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            refuse(f"argument {option}: {text!r} is not of the form A=B")
        pairs[key] = value
    return pairs


def main() -> int:
    """Runs until SIGTERM or SIGINT; 1 with a message when it cannot."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(read(sys.argv[1:]), stop)
    except CannotRun as refusal:
        sys.stderr.write(f"{refusal.render()}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
