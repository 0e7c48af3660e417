"""Flags of the workload controller."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from kubeapi import leases


@dataclass(frozen=True)
class Settings:
    """What the controller is told at its start."""

    kubeconfig: str | None = None
    """Path; None: the configuration of the pod that it runs in."""
    planner_lease: leases.Name | None = leases.PLANNER
    """By which the planner shows that it lives; None: it has none."""
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
    text = "Lease of the node planner; `none`: it has none, and no gate is lifted in its place"
    parser.add_argument("--planner-lease", type=leases.named, metavar=leases.FORM, help=text)
    parser.set_defaults(planner_lease=leases.PLANNER)
    return Settings(**vars(parser.parse_args(argv)))
