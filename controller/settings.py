"""Flags of the workload controller."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What the controller is told at its start."""

    kubeconfig: str | None = None
    """Path; None: the configuration of the pod that it runs in."""
    batch_idle_seconds: float = 0.5
    """A burst of changes is over when none came for this long: a chart that brings a Service of
    its own has then been applied whole, and its Service is seen before ours is made."""
    batch_longest_seconds: float = 2.0
    """A burst is acted on after this long, over or not."""


def parse(argv: Sequence[str] | None = None) -> Settings:
    """The settings of a command line; a bad one ends the program with status 2 and a message."""
    parser = argparse.ArgumentParser(
        prog="python -m controller",
        description="Gives every labelled workload its Service, and takes it back.",
    )
    parser.add_argument("--kubeconfig", help="file; default: the configuration of this pod")
    return Settings(kubeconfig=parser.parse_args(argv).kubeconfig)
