"""`python -m controller`: run the workload controller until SIGTERM."""

import sys

from controller import loop, settings
from kubeapi import process


def main() -> int:
    """Exit status: 0 after SIGTERM or SIGINT, 1 when no cluster is configured, 2 for bad flags."""
    chosen = settings.parse()
    return process.run("controller", chosen.kubeconfig, lambda api: loop.Controller(api, chosen))


if __name__ == "__main__":
    sys.exit(main())
