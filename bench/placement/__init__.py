"""What placement costs: `python -m bench placement`. One module for each part of it.

`planning`: the planner's decision, its time and its cost; `buying`: from pods to claims on a real
control plane; `binding`: pods through our kube-scheduler and the extender; `questions`: one
question to the extender.
"""

from bench.placement import binding, buying, cluster, planning, questions
from bench.report import Figure
from deploy.local import binaries, control_plane


def run() -> list[Figure]:
    """The figures of every part."""
    return [*planning.run(), *_bought(), *placed()]


def placed() -> list[Figure]:
    """Those of scheduler and extender, on one control plane whose nodes last."""
    with cluster.plane() as plane:
        return [*binding.run(plane), *questions.run(plane)]


def _bought() -> list[Figure]:
    programs = binaries.binaries(lambda _: None)
    with control_plane.temporary(programs) as kubeconfig:
        return buying.run(kubeconfig)
