"""The device plugin against a kubelet that is a real gRPC server: registration, watch, allocation.

Cases: kubelet there before, kubelet later, kubelet anew, stale socket, mount missing at start or
later, bad command line.
"""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from deploy.local import device_messages, device_plugin
from deploy.local.failures import CannotRun

SECONDS = 5


class Kubelet:
    """The kubelet's side of the protocol."""

    def __init__(self, sockets: Path) -> None:
        self.sockets = sockets
        self.registrations: queue.Queue[bytes] = queue.Queue()
        self.server = grpc.server(futures.ThreadPoolExecutor(1))
        handler = grpc.unary_unary_rpc_method_handler(self.register)
        self.server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("v1beta1.Registration", {"Register": handler})]
        )
        self.server.add_insecure_port(f"unix:{sockets / 'kubelet.sock'}")
        self.server.start()

    def register(self, request: bytes, _context: grpc.ServicerContext) -> bytes:
        """Keeps the request."""
        self.registrations.put(request)
        return b""

    def stop(self) -> None:
        """Ends, as on a restart."""
        self.server.stop(None).wait()


@contextmanager
def kubelet(sockets: Path) -> Iterator[Kubelet]:
    running = Kubelet(sockets)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def settings(tmp_path: Path) -> device_plugin.Settings:
    (tmp_path / "s").mkdir()
    (tmp_path / "torch").mkdir()
    return device_plugin.Settings(
        gpus=2,
        mounts={"/opt/torch": tmp_path / "torch"},
        environment={"PYTHONPATH": "/opt/torch"},
        sockets=tmp_path / "s",
    )


@pytest.fixture
def plugin(
    settings: device_plugin.Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[device_plugin.Settings]:
    """A running plugin that looks for the kubelet often."""
    monkeypatch.setattr(device_plugin, "NEXT_LOOK_SECONDS", 0.02)
    stop = threading.Event()
    thread = threading.Thread(target=device_plugin.run, args=(settings, stop))
    thread.start()
    yield settings
    stop.set()
    thread.join(SECONDS)
    assert not thread.is_alive()


@contextmanager
def channel(settings: device_plugin.Settings) -> Iterator[Callable[[str, bytes], bytes]]:
    """Calls to the plugin, as the kubelet makes them after a registration."""
    with grpc.insecure_channel(f"unix:{settings.sockets / device_plugin.ENDPOINT}") as opened:

        def call(method: str, request: bytes) -> bytes:
            reply = opened.unary_unary(f"/v1beta1.DevicePlugin/{method}")(request, timeout=SECONDS)
            assert isinstance(reply, bytes)
            return reply

        yield call


def test_it_registers_its_resource(plugin: device_plugin.Settings) -> None:
    with kubelet(plugin.sockets) as running:
        assert running.registrations.get(timeout=SECONDS) == device_messages.registration(
            device_plugin.ENDPOINT, "nvidia.com/gpu"
        )


def test_a_socket_that_a_killed_kubelet_left_is_not_taken_for_one(
    plugin: device_plugin.Settings,
) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(plugin.sockets / "kubelet.sock"))
    time.sleep(5 * device_plugin.FIRST_LOOK_SECONDS)
    assert not (plugin.sockets / device_plugin.ENDPOINT).exists()
    with kubelet(plugin.sockets) as running:
        running.registrations.get(timeout=SECONDS)


def test_it_registers_again_with_a_kubelet_that_started_anew(
    plugin: device_plugin.Settings,
) -> None:
    """A starting kubelet empties the directory, our socket included."""
    with kubelet(plugin.sockets) as first:
        first.registrations.get(timeout=SECONDS)
    for left in plugin.sockets.iterdir():
        left.unlink()
    with kubelet(plugin.sockets) as second:
        second.registrations.get(timeout=SECONDS)
        with channel(plugin) as call:
            assert call("GetDevicePluginOptions", b"") == b""


def test_a_watch_lists_the_devices_and_stays_open(plugin: device_plugin.Settings) -> None:
    with kubelet(plugin.sockets) as running:
        running.registrations.get(timeout=SECONDS)
        with grpc.insecure_channel(f"unix:{plugin.sockets / device_plugin.ENDPOINT}") as opened:
            watch = opened.unary_stream("/v1beta1.DevicePlugin/ListAndWatch")(b"", timeout=0.3)
            assert next(watch) == device_messages.device_list(["GPU-0", "GPU-1"])
            with pytest.raises(grpc.RpcError) as ended:
                next(watch)
            assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_watches_that_ended_free_their_threads(plugin: device_plugin.Settings) -> None:
    with kubelet(plugin.sockets) as running:
        running.registrations.get(timeout=SECONDS)
        with grpc.insecure_channel(f"unix:{plugin.sockets / device_plugin.ENDPOINT}") as opened:
            for _ in range(3 * device_plugin.STREAMS):
                watch = opened.unary_stream("/v1beta1.DevicePlugin/ListAndWatch")(
                    b"", timeout=SECONDS
                )
                next(watch)
                watch.cancel()


def test_a_container_gets_its_devices_environment_and_mounts(
    plugin: device_plugin.Settings,
) -> None:
    request = b"\x0a\x07\x0a\x05GPU-1"
    with kubelet(plugin.sockets) as running:
        running.registrations.get(timeout=SECONDS)
        with channel(plugin) as call:
            assert call("Allocate", request) == device_messages.allocation(
                [{"PYTHONPATH": "/opt/torch", "NVIDIA_VISIBLE_DEVICES": "GPU-1"}],
                {"/opt/torch": str(plugin.mounts["/opt/torch"])},
            )


def test_a_mount_that_has_gone_fails_the_pod(plugin: device_plugin.Settings) -> None:
    with kubelet(plugin.sockets) as running:
        running.registrations.get(timeout=SECONDS)
        plugin.mounts["/opt/torch"].rmdir()
        with channel(plugin) as call, pytest.raises(grpc.RpcError) as refusal:
            call("Allocate", b"\x0a\x07\x0a\x05GPU-1")
        assert refusal.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "torch is not there any more" in refusal.value.details()


def test_it_does_not_start_without_what_it_is_to_mount(
    settings: device_plugin.Settings,
) -> None:
    settings.mounts["/opt/torch"].rmdir()
    with pytest.raises(CannotRun, match="torch is not a directory that this machine sees"):
        device_plugin.run(settings, threading.Event())


def test_the_command_line_is_read() -> None:
    """A value may hold the sign that ends the key."""
    words = "--gpus=2 --mount=/opt/torch=/cache/torch --env=A=b=c --env=B=1 --socket-dir=/s"
    assert device_plugin.read(words.split()) == device_plugin.Settings(
        gpus=2,
        mounts={"/opt/torch": Path("/cache/torch")},
        environment={"A": "b=c", "B": "1"},
        sockets=Path("/s"),
    )


@pytest.mark.parametrize("option", ["--mount", "--env"])
def test_an_option_that_is_no_pair_is_named(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        device_plugin.read(["--gpus=1", f"{option}=/opt/torch"])
    assert f"argument {option}: '/opt/torch' is not of the form A=B" in capsys.readouterr().err
