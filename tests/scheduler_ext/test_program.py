"""The program as a process: flags, where it listens, keep-alive, signals."""

import contextlib
import http.client
import signal
import socket
import time
from pathlib import Path

import pytest

from kubeapi.client import Client
from scheduler_ext import probe, program, settings
from tests import apiserver, programs
from tests.scheduler_ext import objects


def test_flags_become_settings() -> None:
    assert settings.parse(["--kubeconfig", "k", "--port", "9"]) == settings.Settings("k", 9)
    assert settings.parse([]) == settings.Settings()


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_what_is_no_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings.parse([f"--port={port}"])
    assert "is not a port" in capsys.readouterr().err


@pytest.mark.slow
def test_without_a_cluster_or_a_port_it_says_what_to_do(tmp_path: Path) -> None:
    absent = f"--kubeconfig={tmp_path / 'absent'}"
    said = programs.refused("scheduler_ext", absent, "--port=0")
    assert "hint: give --kubeconfig FILE" in said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = programs.refused("scheduler_ext", absent, f"--port={taken.getsockname()[1]}")
    assert "Address already in use\n  hint: choose another" in said


@pytest.mark.slow
def test_it_answers_on_one_connection_and_ends_at_sigterm(
    server: apiserver.ApiServer, tmp_path: Path
) -> None:
    server.put("nodes", objects.raw_node())
    server.put("nodeclaims", objects.raw_claim(initialized=False))
    kubeconfig = f"--kubeconfig={apiserver.kubeconfig(server, tmp_path)}"
    with (
        programs.serving("scheduler_ext", kubeconfig) as (process, port),
        contextlib.ExitStack() as stack,
    ):
        made = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection = stack.enter_context(contextlib.closing(made))

        def asked(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()

        apiserver.until(lambda: not probe.ask(port, "/readyz"))
        assert asked("GET", "/readyz")[0] == 200
        first = connection.sock
        status, body = asked("POST", "/filter", objects.request(objects.raw_pod(), "n1"))
        assert (status, b"NodeClaim ws1" in body) == (200, True)
        assert connection.sock is first is not None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.slow
def test_a_connection_that_was_idle_is_still_there(
    server: apiserver.ApiServer, tmp_path: Path
) -> None:
    """E11: uvicorn's own limit of 5 s would end it, and the scheduler's next question with it."""
    kubeconfig = f"--kubeconfig={apiserver.kubeconfig(server, tmp_path)}"
    with (
        programs.serving("scheduler_ext", kubeconfig) as (_, port),
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection,
    ):
        sockets = []
        for pause in (0.0, 6.0):
            time.sleep(pause)
            connection.request("POST", "/filter", objects.request(objects.raw_pod(), "n1"))
            assert connection.getresponse().read()
            sockets.append(connection.sock)
        assert sockets[0] is sockets[1] is not None


def test_idle_connections_outlive_those_of_go(client: Client) -> None:
    """E11: who closes first loses what is on its way; Go closes after 90 s."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = program.Extender(client, listener)
        assert made._server.config.timeout_keep_alive > 90
