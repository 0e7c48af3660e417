"""Flags of the extender."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

PORT = 8888
"""Where deploy/manifests/scheduler.yaml tells kube-scheduler to ask."""


@dataclass(frozen=True)
class Settings:
    """What the extender is told at its start."""

    kubeconfig: str | None = None
    """Path; None: the configuration of the pod that it runs in."""
    port: int = PORT
    """On 127.0.0.1, and nowhere else: only the scheduler beside it is to ask. 0: any."""


def parse(argv: Sequence[str] | None = None) -> Settings:
    """The settings of a command line; a bad one ends the program with status 2 and a message."""
    parser = argparse.ArgumentParser(
        prog="python -m scheduler_ext",
        description="Explains and guards placement beside our own kube-scheduler.",
        allow_abbrev=False,
    )
    parser.add_argument("--kubeconfig", help="file; default: the configuration of this pod")
    text = "port of the loopback address to listen on (%(default)s)"
    parser.add_argument("--port", type=_port, default=PORT, help=text)
    given = parser.parse_args(argv)
    return Settings(given.kubeconfig, given.port)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port")
