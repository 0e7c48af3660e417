"""`python -m node_provisioner`: run the node planner until SIGTERM."""

import sys

from kubeapi import process
from node_provisioner import loop, settings


def main() -> int:
    """Exit status: 0 after SIGTERM or SIGINT, 1 when no cluster is configured, 2 for bad flags."""
    chosen = settings.parse()
    return process.run("node-provisioner", chosen.kubeconfig, lambda api: loop.Planner(api, chosen))


if __name__ == "__main__":
    sys.exit(main())
