"""Which of several equal programs acts: the holder of a Lease, as client-go elects leaders.

A holder that cannot renew stops before another can take over. Nobody compares clocks: a Lease is
old when its holder has not changed it for so long by the watcher's own clock.
"""

import argparse
from collections.abc import Callable
from datetime import datetime

from kubeapi import api, host
from telemetry import logs

LEASE_SECONDS = 15.0
"""Untouched for this long a Lease is anybody's; the values are client-go's defaults."""
RENEW_SECONDS = 10.0
"""A holder whose last renewal began longer ago does not count itself as one."""
RETRY_SECONDS = 2.0


Name = tuple[str, str]
"""Of a Lease: its namespace, and its name there."""
PLANNER: Name = ("plainsail-system", "node-provisioner")
"""The node planner's, unless it is told otherwise."""
FORM = "NAMESPACE/NAME"


def named(text: str) -> Name | None:
    """The name in a flag's value; None for `none`.

    Raises:
        argparse.ArgumentTypeError: `text` is neither.
    """
    namespace, slash, name = text.partition("/")
    if text == "none":
        return None
    if not (namespace and slash and name):
        raise argparse.ArgumentTypeError(f'"{text}" is not {FORM} or none')
    return namespace, name


def path(namespace: str, name: str = "") -> str:
    """Where the Leases of a namespace are, or one of them."""
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    return f"{leases}/{name}" if name else leases


class Observed:
    """A Lease as it is seen, and for how long it has stayed as it is."""

    def __init__(self) -> None:
        self.version = ""
        self.holder = ""
        self._since = 0.0

    def see(self, lease: api.Object, now: float) -> None:
        """Take what was read."""
        version = lease["metadata"]["resourceVersion"]
        if version != self.version:
            self.version, self._since = version, now
        self.holder = (lease.get("spec") or {}).get("holderIdentity") or ""

    def miss(self, now: float) -> None:
        """It is not there."""
        if self.version:
            self.version, self.holder, self._since = "", "", now
        elif not self._since:
            self._since = now

    def quiet_seconds(self, now: float) -> float:
        """For how long nobody has touched it."""
        return now - self._since

    def is_free(self, now: float) -> bool:
        """Whether its holder let it go, or does not touch it any more."""
        return not self.holder or self.quiet_seconds(now) >= LEASE_SECONDS


class Election:
    """Takes part for one process; `run` keeps the Lease renewed."""

    def __init__(
        self,
        cluster: api.Api,
        lease: Name,
        identity: str,
        changed: Callable[[], None],
        on: host.Host = host.REAL,
    ) -> None:
        """`lease`: namespace and name. `identity`: another one in every process.

        `changed` is called when this process begins or ceases to lead.
        """
        self._api = cluster
        self._namespace, self._name = lease
        self._identity = identity
        self._host = on
        self._seen = Observed()
        self._renewed: float | None = None
        self._changed = changed

    @property
    def leads(self) -> bool:
        """Whether this process may act now."""
        renewed = self._renewed
        return renewed is not None and self._host.monotonic() - renewed < RENEW_SECONDS

    def run(self, stop: host.Flag) -> None:
        """Hold the Lease whenever it can be had, until `stop` is set."""
        led = False
        while not stop.is_set():
            try:
                self._try()
            except api.ApiError as error:
                logs.warning("lease_not_renewed", lease=self._name, error=error)
            if self.leads != led:
                led = not led
                said = "leading" if led else "no_longer_leading"
                logs.info(said, lease=self._name, identity=self._identity)
                self._changed()
            stop.wait(RETRY_SECONDS)

    def release(self) -> None:
        """Let the Lease go, so that another process need not wait."""
        if not self.leads:
            return
        self._renewed = None
        try:
            self._write({"holderIdentity": ""})
        except api.ApiError as error:
            logs.info("lease_not_released", lease=self._name, error=error)  # it runs out by itself

    def _try(self) -> None:
        begun = self._host.monotonic()
        try:
            lease = self._api.get(path(self._namespace, self._name))
        except api.NotFound:
            lease = self._create()
        self._seen.see(lease, begun)
        if self._seen.holder == self._identity or self._seen.is_free(begun):
            self._seen.see(self._write(self._spec()), begun)
            self._renewed = begun
        else:
            self._renewed = None

    def _create(self) -> api.Object:
        meta = {"name": self._name, "namespace": self._namespace}
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": meta,
            "spec": self._spec(),
        }
        return self._api.create(path(self._namespace), body)

    def _write(self, spec: api.Object) -> api.Object:
        """Change the Lease if it is still the one that was seen.

        Raises:
            api.Conflict: another process changed it.
        """
        body = {"metadata": {"resourceVersion": self._seen.version}, "spec": spec}
        return self._api.patch(path(self._namespace, self._name), body)

    def _spec(self) -> api.Object:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(LEASE_SECONDS),
            "renewTime": _micro_time(self._host.now()),
        }


def _micro_time(when: datetime) -> str:
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
