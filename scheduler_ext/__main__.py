"""`python -m scheduler_ext`: run the scheduler extender until SIGTERM."""

import os
import socket
import sys

from kubeapi import process
from scheduler_ext import program, settings


def main() -> int:
    """Exit status: 0 after SIGTERM or SIGINT, 1 when it cannot start, 2 for bad flags."""
    chosen = settings.parse()
    try:
        listener = socket.create_server(("127.0.0.1", chosen.port), backlog=128)
    except OSError as error:
        print(f"error: --port {chosen.port}: {os.strerror(error.errno or 0)}", file=sys.stderr)
        print("  hint: choose another, or end the process that holds it", file=sys.stderr)
        return 1
    with listener:
        return process.run(
            "extender", chosen.kubeconfig, lambda api: program.Extender(api, listener)
        )


if __name__ == "__main__":
    sys.exit(main())
