"""Our programs as processes against a real control plane, with the rights of their manifests."""

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
    """`python -m package` with a kubeconfig; ended, gently, with the block."""
    command = [sys.executable, "-m", package, f"--kubeconfig={kubeconfig}", *flags]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(5)
