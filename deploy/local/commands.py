"""The verbs of `python -m deploy.local`: up, down, status, demo, control-plane, karpenter."""

import argparse
import contextlib
import dataclasses
import signal
import sys
from pathlib import Path

from deploy.local import (
    binaries,
    cluster,
    control_plane,
    demo,
    karpenter,
    leftovers,
    market,
    paths,
)
from deploy.local.api import Api
from deploy.local.failures import CannotRun
from deploy.local.fake_nodes import FakeNodes
from deploy.local.progress import Progress


def run() -> int:
    """Exit status: 0 done, 1 it could not be done, 2 wrong usage."""
    arguments = _parser().parse_args()
    try:
        paths.cluster(arguments.name)
        arguments.run(arguments)
    except paths.BadName as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except CannotRun as error:
        print(error.render(), file=sys.stderr)
        return 1
    return 0


IDLE_SECONDS = {"up": 600, "demo": 5}
"""How long an idle machine stays; a demonstration has no ten minutes."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local", description="A real Kubernetes cluster on this machine."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, run, words in (
        ("up", _up, "start a cluster, or adopt the one that runs"),
        ("down", _down, "remove every trace of a cluster"),
        ("status", _status, "what of a cluster is there"),
        ("demo", _demo, "start a cluster and let a model answer a question in it"),
    ):
        verb = verbs.add_parser(name, help=words, description=words)
        verb.add_argument("--name", default="demo", help="cluster name (default: demo)")
        verb.set_defaults(run=run)
        if name in ("up", "demo"):
            verb.add_argument(
                "--binaries",
                type=Path,
                metavar="DIR",
                help="directory with the Kubernetes programs (default: build them once)",
            )
            verb.add_argument(
                "--idle-ttl",
                type=int,
                default=IDLE_SECONDS[name],
                metavar="SECONDS",
                help="give a GPU machine back after this long without pods (default: %(default)s)",
            )
    words = "run a control plane with fake nodes on 127.0.0.1, without root, until Ctrl-C"
    plane = verbs.add_parser("control-plane", help=words, description=words)
    plane.add_argument("--nodes", type=int, default=1, help="fake nodes with 1 GPU (default: 1)")
    words = "run our own kube-scheduler and its extender too"
    plane.add_argument("--own-scheduler", action="store_true", help=words)
    plane.add_argument("--binaries", type=Path, metavar="DIR", help="as for up")
    plane.set_defaults(run=_control_plane, name="control-plane")
    words = "build what the tests with the real Karpenter run, where the cache lacks it"
    built = verbs.add_parser("karpenter", help=words, description=words)
    built.set_defaults(run=_karpenter, name="karpenter")
    return parser


def _options(arguments: argparse.Namespace) -> cluster.Options:
    return cluster.Options(arguments.name, arguments.binaries, arguments.idle_ttl)


def _up(arguments: argparse.Namespace) -> None:
    loaded = cluster.up(_options(arguments), Progress())
    print(f"cluster {loaded.name} is up\n{demo.commands(loaded)}")


def _down(arguments: argparse.Namespace) -> None:
    found = cluster.down(arguments.name)
    print(f"cluster {arguments.name}: " + (f"removed {', '.join(found)}" if found else "not there"))


def _status(arguments: argparse.Namespace) -> None:
    running = leftovers.daemon_pid(paths.cluster(arguments.name))
    found = leftovers.found(arguments.name)
    if running:
        print(f"cluster {arguments.name} runs (process {running})")
    elif found:
        print(f"cluster {arguments.name} does not run; left of it: {', '.join(found)}")
    else:
        print(f"cluster {arguments.name}: not there")


def _control_plane(arguments: argparse.Namespace) -> None:
    progress = Progress()
    with progress.step("Kubernetes programs"):
        programs = binaries.binaries(progress.report, arguments.binaries)
    with contextlib.ExitStack() as running:
        with progress.step("control plane"):
            kubeconfig = running.enter_context(
                control_plane.temporary(programs, own_scheduler=arguments.own_scheduler)
            )
            nodes = running.enter_context(FakeNodes(Api(kubeconfig)))
            for number in range(arguments.nodes):
                nodes.add(f"fake-{number}", {"nvidia.com/gpu": "1"})
        print(f"  export KUBECONFIG={kubeconfig}\n  alias kubectl={programs / 'kubectl'}")
        print("Ctrl-C ends it", flush=True)
        signal.pause()


def _karpenter(_: argparse.Namespace) -> None:
    progress = Progress()
    with progress.step("Kubernetes programs"):
        binaries.binaries(progress.report)
    with progress.step("Karpenter"):
        karpenter.karpenter(progress.report)


def _demo(arguments: argparse.Namespace) -> None:
    progress = Progress()
    options = dataclasses.replace(_options(arguments), no_spot=market.NO_SPOT)
    answered = demo.perform(options, progress)
    demo.print_report(answered)  # before what may fail: the answer is there
    for line in market.lines(market.perform(answered.loaded, progress)):
        print(line)
