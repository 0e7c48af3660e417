"""`python -m runtime serve --model=DIR|ORG/NAME --served-name=NAME`.

Exit status:

| | |
|---|---|
| 0 | stopped by SIGTERM or SIGINT, requests at hand answered |
| 1 | the model could not be loaded |
| 2 | wrong arguments, or the port cannot be listened on |
| 3 | no model where `--model` points |
| 4 | the hub is not reachable, or does not give us the model, and the cache has no copy |
"""

import os
import sys
from collections.abc import Sequence

from presets import runtime_args
from runtime import settings
from telemetry import logs


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; the exit status, see the module."""
    try:
        chosen = settings.read(sys.argv[1:] if argv is None else argv, os.environ)  # noqa: TID251 - handed to settings
    except runtime_args.MalformedArguments as error:
        print(f"{error}\nhint: see --help", file=sys.stderr)
        return 2
    settings.prepare(os.environ)  # noqa: TID251 - handed to settings
    logs.configure()
    return _serve(chosen)


def _serve(chosen: settings.Settings) -> int:
    from runtime import server  # noqa: PLC0415 - the HTTP stack: half a second that --help saves

    try:
        listening = server.bind(chosen.host, chosen.serve.port)
    except server.PortTaken as error:
        print(f"{error}\nhint: stop what listens there, or give another --port", file=sys.stderr)
        return 2
    failure, ended = server.run(chosen, listening)
    status = 0 if failure is None else _report(failure)
    if not ended:
        # A thread inside torch cannot be interrupted, and ending the interpreter under it crashes.
        sys.stderr.flush()
        os._exit(status)
    return status


def _report(failure: Exception) -> int:
    from runtime import model_files  # noqa: PLC0415 - as above

    if isinstance(failure, model_files.CannotLoad):
        print(failure, file=sys.stderr)
        return failure.exit_code
    logs.failure("load_failed", failure)
    print("the model could not be loaded; the log above says why", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
