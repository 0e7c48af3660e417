"""What an end-to-end test sees of the cluster: one namespace, and patience."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from deploy.local import api, claims, demo, settings

Object = dict[str, Any]
T = TypeVar("T")


@dataclass
class Namespace:
    """A namespace of the cluster, and the claims that its workloads led to."""

    loaded: settings.Settings
    api: api.Api
    name: str
    applied: list[Path] = field(default_factory=list)

    def apply(self, file: Path) -> str:
        """Output of `kubectl apply` of `file` in this namespace."""
        self.applied.append(file)
        return demo.kubectl(self.loaded, "apply", "-n", self.name, "-f", str(file))

    def delete(self, file: Path) -> None:
        """`kubectl delete` of `file`, waiting for nothing."""
        demo.kubectl(self.loaded, "delete", "-n", self.name, "--wait=false", "-f", str(file))

    def get(self, kind: str, name: str) -> Object | None:
        """An object of this namespace, or None."""
        with contextlib.suppress(api.NotFound):
            return self.api.get(f"{_root(kind)}/namespaces/{self.name}/{kind}/{name}")
        return None

    def all(self, kind: str) -> list[Object]:
        """All objects of a kind in this namespace."""
        found: list[Object] = self.api.get(f"{_root(kind)}/namespaces/{self.name}/{kind}")["items"]
        return found

    def claims(self) -> list[Object]:
        """NodeClaims that were bought for workloads of this namespace."""
        key = "kaito.sh/workload-namespace"
        return [
            claim
            for claim in self.api.get(claims.COLLECTION)["items"]
            if claim["metadata"].get("labels", {}).get(key) == self.name
        ]

    def url(self, service: str) -> str:
        """Address of a Service of this namespace, once it has one."""
        found = eventually(lambda: self.get("services", service), f"Service {service}")
        assert found is not None
        return f"http://{found['spec']['clusterIP']}"


def _root(kind: str) -> str:
    return "/apis/apps/v1" if kind in ("deployments", "replicasets", "statefulsets") else "/api/v1"


def eventually(look: Callable[[], T], what: str, seconds: float = 90) -> T:
    """What `look` returns once it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s: {what}")
