"""Our programs as processes, and their rights by their manifests on a real control plane."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import api as apis
from deploy.local import manifests
from tests.apiserver import until


def install(cluster: apis.Api, *names: str) -> None:
    """Create the namespace, ServiceAccounts and access rules of these programs."""
    manifests.install(cluster, "namespace", *names)


def namespace(cluster: apis.Api) -> str:
    """A fresh namespace in which pods can be created."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.create("/api/v1/namespaces", {"metadata": {"name": name}})

    def has_account() -> bool:
        listed = cluster.get(f"/api/v1/namespaces/{name}/serviceaccounts")
        return bool(listed["items"])

    until(has_account, 20.0)
    return name


@contextmanager
def running(package: str, kubeconfig: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m package` with a kubeconfig; ended, gently and without a failure, with the block.

    A test may kill it before, which is no failure.
    """
    command = [sys.executable, "-m", package, f"--kubeconfig={kubeconfig}", *flags]
    process = subprocess.Popen(command)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGKILL)
    finally:
        process.kill()
        process.wait()


@contextmanager
def started(package: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m package`, whose standard error is there to be read; killed with the block."""
    command = [sys.executable, "-m", package, *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving(package: str, *flags: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The same on a free port of the loopback address, which is the second value."""
    with started(package, *flags, "--port=0") as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "event=serving host=127.0.0.1" in line, line
        yield process, int(line.rpartition("port=")[2])


def refused(package: str, *flags: str) -> str:
    """What `python -m package` says on standard error as it ends with status 1."""
    command = [sys.executable, "-m", package, *flags]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    return done.stderr
