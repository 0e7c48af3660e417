"""The model server's arguments: the contract from the webhook to the runtime.

`from_argv(to_argv(args)) == args` for every program. Stored pods carry command lines: what one
version writes every later one must read.

`serve.py` has those of the server, `nodes.py` what it is told where it serves on several nodes,
`tuning.py` those of the three programs of a tuning run; `command_line.py` writes and reads them.
"""

from presets.runtime_args.command_line import MalformedArguments
from presets.runtime_args.nodes import SERVE_NODES
from presets.runtime_args.serve import (
    DTYPES,
    LATER,
    PORT,
    SERVE,
    ServeArgs,
    ServedAdapter,
    require_supported,
)
from presets.runtime_args.tuning import (
    CONFIG,
    DATA,
    FETCH,
    LOCK,
    LOGIN,
    METHODS,
    PUSH,
    RESULTS,
    TUNE,
    FetchArgs,
    PushArgs,
    TuneArgs,
)

PROGRAMS = frozenset({SERVE})
"""Verbs that this version's image answers, and SERVE_NODES where it serves on several nodes;
admission refuses what takes another one."""

__all__ = [
    "CONFIG",
    "DATA",
    "DTYPES",
    "FETCH",
    "LATER",
    "LOCK",
    "LOGIN",
    "METHODS",
    "PORT",
    "PROGRAMS",
    "PUSH",
    "RESULTS",
    "SERVE",
    "SERVE_NODES",
    "TUNE",
    "FetchArgs",
    "MalformedArguments",
    "PushArgs",
    "ServeArgs",
    "ServedAdapter",
    "TuneArgs",
    "require_supported",
]
