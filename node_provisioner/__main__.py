"""`python -m node_provisioner`: run the node planner until SIGTERM."""

import signal
import sys
import threading

from kubeapi import client
from node_provisioner import loop, settings
from telemetry import logs

_LAST_SECONDS = 0.8
"""A pass under way at SIGTERM gets this long; one that is cut off is made again at the start."""


def main() -> int:
    """Exit status: 0 after SIGTERM or SIGINT, 1 when no cluster is configured, 2 for bad flags."""
    chosen = settings.parse()
    logs.configure()
    try:
        cluster = client.connect(chosen.kubeconfig, program="node-provisioner")
    except client.NoCluster as error:
        print(error, file=sys.stderr)
        return 1
    planner = loop.Planner(cluster, chosen)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = threading.Thread(target=planner.run, args=(stop,), daemon=True)
    worker.start()
    stop.wait()
    planner.wake()
    worker.join(_LAST_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
