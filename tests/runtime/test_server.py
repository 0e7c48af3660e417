"""A real server process on a real model: start, answers, clients that leave, signals."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

pytestmark = pytest.mark.slow
CONTEXT = 16_384
"""Room for an answer that takes seconds, so that something can happen meanwhile."""
LONG = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, "max_tokens": 16_000}


class Server:
    """One process; its log is read as it comes."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "runtime", "serve"),
                *(f"--model={directory}", "--served-name=tiny", "--port=0"),
            ],
            stderr=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if k != "HOME"} | {"OMP_NUM_THREADS": "1"},
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            port = self.logged(r"event=listening .*port=(\d+)")[1]
        except AssertionError:
            self.process.kill()
            raise
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(iter(self.process.stderr.readline, ""))

    def logged(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """The first line of the log that matches, waited for."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for line in list(self.log):
                if found := re.search(pattern, line):
                    return found
            time.sleep(0.02)
        raise AssertionError(f"{pattern} is not in the log: {self.log}")

    def ready(self) -> "Server":
        while self.http.get("/health").status_code != 200:
            assert self.process.poll() is None, self.log
            time.sleep(0.05)
        return self

    def ended(self) -> int:
        """The exit status, waited for."""
        status = self.process.wait(60)
        self._reader.join(10)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.ended()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.http.close()


@pytest.fixture(scope="module")
def directory(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = Path(shutil.copytree(tiny_llama, tmp_path_factory.mktemp("long") / "m"))
    config = json.loads((target / "config.json").read_text())
    config["max_position_embeddings"] = CONTEXT
    (target / "config.json").write_text(json.dumps(config))
    return target


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[Server]:
    with Server(directory) as started:
        assert started.http.get("/healthz").status_code == 200
        assert started.http.get("/health").status_code == 503
        yield started.ready()
        started.process.send_signal(signal.SIGTERM)
        assert started.ended() == 0
        assert "Traceback" not in "".join(started.log)


def test_curl_as_in_the_readme_is_answered(server: Server) -> None:
    answer = server.http.post(
        "/chat",
        content=b'{"prompt": "hi"}',
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["Result"].startswith("hi\n")


def test_four_at_once_are_answered_alike(server: Server) -> None:
    body: dict[str, Any] = {**LONG, "max_tokens": 30}

    def ask(_: int) -> str:
        answer = httpx.post(f"{server.http.base_url}/v1/chat/completions", json=body, timeout=60)
        return str(answer.json()["choices"][0]["message"]["content"])

    with futures.ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_the_engine(server: Server, *, stream: bool) -> None:
    before = sum("reason=aborted" in line for line in server.log)
    with httpx.Client(base_url=server.http.base_url, timeout=1) as leaving:
        try:
            with leaving.stream(
                "POST", "/v1/chat/completions", json={**LONG, "stream": stream}
            ) as answer:
                next(answer.iter_bytes())
        except httpx.ReadTimeout:
            assert not stream
    ends = time.monotonic() + 3
    while sum("reason=aborted" in line for line in server.log) == before:
        assert time.monotonic() < ends, server.log
        time.sleep(0.02)
    assert server.http.post("/chat", json={"prompt": "hi"}).status_code == 200


def test_sigterm_lets_a_request_finish(directory: Path) -> None:
    body = {**LONG, "max_tokens": 1500, "stream": True}
    with Server(directory) as server:
        server.ready()
        with server.http.stream("POST", "/v1/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert '"finish_reason":"length"' in rest[-2]
        assert server.ended() == 0


def test_sigterm_while_the_model_loads_ends_at_once(directory: Path) -> None:
    with Server(directory) as server:
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.ended() == 0
        assert time.monotonic() - began < 10


def test_the_process_runs_without_a_home_and_with_nothing_to_write_to(server: Server) -> None:
    """`Server` takes HOME away; the log tells of no complaint about it."""
    assert not [line for line in server.log if "level=WARNING" in line or "level=ERROR" in line]
