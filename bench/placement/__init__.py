"""What placement costs: `python -m bench placement`. One module for each part of it.

`planning`: the planner's decision, its time and its cost; `buying`: from pods to claims on a real
control plane.
"""

import tempfile
from pathlib import Path

from bench.placement import buying, planning
from bench.report import Figure
from deploy.local import binaries, control_plane


def run() -> list[Figure]:
    """The figures of every part."""
    programs = binaries.binaries(lambda _: None)
    with (
        tempfile.TemporaryDirectory() as directory,
        control_plane.rootless(Path(directory), programs) as kubeconfig,
    ):
        bought = buying.run(kubeconfig)
    return [*planning.run(), *bought]
