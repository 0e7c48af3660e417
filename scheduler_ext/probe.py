"""`python -m scheduler_ext.probe PORT PATH`: ask the extender beside this process how it is.

For the kubelet, which cannot reach a pod's loopback address but by a command in the container. It
runs often, so that it imports little.
"""

import http.client
import sys
from collections.abc import Sequence

_SECONDS = 4.0
"""Below the time that the manifest gives the command."""


def ask(port: int, path: str) -> str:
    """Why the answer to a GET is not 200; empty: it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error!r}"
    finally:
        connection.close()
    return "" if answer.status == http.client.OK else f"{answer.status} {text}"


def main(argv: Sequence[str]) -> int:
    """Exit status: 0 all is well, 1 it is not, told on standard output, where the kubelet reads."""
    port, path = argv
    if problem := ask(int(port), path):
        sys.stdout.write(f"{path}: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
