"""`python -m node_provisioner`: run the node planner until SIGTERM."""

import sys
from datetime import UTC, datetime

from kubeapi import process
from node_provisioner import loop, metrics, settings
from telemetry import pages


def main() -> int:
    """Exit status: 0 after SIGTERM or SIGINT, 1 when no cluster is configured, 2 for bad flags."""
    chosen = settings.parse()
    counted = metrics.Metrics(datetime.now(UTC).timestamp())
    if chosen.metrics:
        pages.serve(chosen.metrics, {"/metrics": counted.render, "/healthz": lambda: "ok\n"})
    return process.run(
        "node-provisioner",
        chosen.kubeconfig,
        lambda api: loop.Planner(api, chosen, counted=counted),
    )


if __name__ == "__main__":
    sys.exit(main())
