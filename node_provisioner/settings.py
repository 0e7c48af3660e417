"""Flags of the node planner."""

import argparse
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubeapi import leases
from node_provisioner import dialects, limits
from presets import money

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LAST_PORT = 65535
_LIMITS = (("-per-namespace", "one namespace"), ("-per-workload", "one workload"))


@dataclass(frozen=True)
class Settings:
    """What the planner is told at its start."""

    kubeconfig: str | None = None
    """Path; None: the configuration of the pod that it runs in."""
    dialect: str = "local"
    """Which NodeClaims to write."""
    idle_ttl_seconds: float = 600.0
    """How long a node that no pod needs is kept."""
    surplus_ttl_seconds: float = 30.0
    """How long a claim that no pod needs is kept while its node has yet to come."""
    launch_timeout_seconds: float = 1200.0
    """How long a claim may take until its node is usable; Karpenter's own limit is 15 minutes."""
    max_claims: int = 100
    """Claims of ours at any time, in the whole cluster."""
    max_claims_per_namespace: int | None = None
    max_claims_per_workload: int | None = None
    max_price_per_hour: int | None = None
    """Microdollars of all claimed nodes together."""
    lease: leases.Name | None = None
    """Namespace and name of the Lease whose holder buys; None: this process does."""
    identity: str = ""
    """Of this process in the Lease."""
    metrics: tuple[str, int] | None = None
    """Host and port of the page of metrics; None: there is none."""
    batch_idle_seconds: float = 0.2
    """A burst of changes is over when none came for this long."""
    batch_longest_seconds: float = 2.0
    """A burst is acted on after this long, over or not."""

    @property
    def limits(self) -> limits.Limits:
        """How much may be bought."""
        return limits.Limits(
            self.max_claims,
            self.max_claims_per_namespace,
            self.max_claims_per_workload,
            self.max_price_per_hour,
        )


def parse(argv: Sequence[str] | None = None) -> Settings:
    """The settings of a command line; a bad one ends the program with status 2 and a message."""
    parser = argparse.ArgumentParser(
        prog="python -m node_provisioner",
        description="Buys the GPU nodes that pods wait for, and gives idle ones back.",
    )
    parser.add_argument("--kubeconfig", help="file; default: the configuration of this pod")
    parser.add_argument("--dialect", choices=sorted(dialects.DIALECTS), help="which NodeClaims")
    durations: dict[str, Any] = {"type": seconds, "metavar": "DURATION"}
    text = "how long a node that no pod needs is kept, such as 90s or 10m"
    parser.add_argument("--idle-ttl", dest="idle_ttl_seconds", help=text, **durations)
    text = "how long a node may take to become usable, such as 20m"
    parser.add_argument("--launch-timeout", dest="launch_timeout_seconds", help=text, **durations)
    for flag, where in (("", "the whole cluster"), *_LIMITS):
        text = f"nodes bought at any time, for {where}"
        parser.add_argument(f"--max-claims{flag}", type=int, metavar="N", help=text)
    text = "Lease whose holder buys; `none`: this process does"
    parser.add_argument("--lease", type=leases.named, metavar=leases.FORM, help=text)
    text = "of this process in the Lease; default: the host's name, in a cluster the pod's"
    parser.add_argument("--identity", default=socket.gethostname(), help=text)
    text = "where GET /metrics is answered, such as 0.0.0.0:8080; default: nowhere"
    parser.add_argument("--metrics", type=_address, metavar="HOST:PORT", help=text)
    text = "what all bought nodes together may cost, in dollars, such as 12.50"
    parser.add_argument("--max-price-per-hour", type=dollars, metavar="DOLLARS", help=text)
    parser.set_defaults(lease=leases.PLANNER)
    given = vars(parser.parse_args(argv))
    return Settings(**{name: value for name, value in given.items() if value is not None})


def _address(text: str) -> tuple[str, int]:
    name, _, port = text.rpartition(":")
    if not (name and port.isdecimal() and int(port) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f'"{text}" is not an address such as 0.0.0.0:8080')
    return name, int(port)


def dollars(text: str) -> int:
    """Microdollars of an amount of dollars such as `3.673`.

    Raises:
        argparse.ArgumentTypeError: `text` is no such amount.
    """
    amount = money.microdollars(text)
    if amount is None:
        raise argparse.ArgumentTypeError(f'"{text}" is not an amount such as 12.50')
    return amount


def seconds(text: str) -> float:
    """Seconds of a duration such as `500ms`, `90s`, `10m` or `1h`.

    Raises:
        argparse.ArgumentTypeError: `text` is no such duration.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f'"{text}" is not a duration such as 90s, 10m or 1h')
    return float(match[1]) * _UNITS[match[2]]
