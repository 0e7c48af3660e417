"""`python -m bench NAME|all`, `python -m bench --list`."""

import argparse
import importlib
import sys

from bench import report

BENCHMARKS = {
    "admission": "CPU of a request beside the usual handler, expansion, creates, memory",
    "demo": "from nothing to an answer, a second machine, the test control plane, taking down",
    "footprint": "memory and CPU of every process of an idle cluster",
    "placement": "planner: plan, cost, claims; scheduler and extender: pods, single questions",
    "presets": "the catalogue's first lookup, a layout, a choice among all instance types",
}


def main() -> int:
    """Exit status: 0 every benchmark ran, 1 one failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*BENCHMARKS, "all"], metavar="NAME|all")
    parser.add_argument("--list", action="store_true", help="names of the benchmarks")
    arguments = parser.parse_args()
    if arguments.list or not arguments.name:
        for name, words in BENCHMARKS.items():
            print(f"{name:<12}{words}")
        return 0 if arguments.list else 2
    for name in BENCHMARKS if arguments.name == "all" else [arguments.name]:
        # By name, so that one benchmark's libraries are not another's start-up time.
        module = importlib.import_module(f"bench.{name}")
        on = report.machine()
        figures = module.run()
        print(report.table(name, figures, on))
        print(report.last_line(name, figures, on), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
