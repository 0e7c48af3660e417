"""Bytecode of modules, equal for equal sources wherever and whenever it is made.

What marshal writes depends on which strings the process already shares and on the hash seed, so
the work is done in a process of its own: `python -m deploy.local.images.bytecode`.
"""

import importlib.util
import marshal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_UNCHECKED_HASH = 0b01
"""PEP 552: believe the .pyc file whatever the source's time; a layer has no times."""


def compiled(modules: Sequence[tuple[str, bytes]]) -> list[bytes | None]:
    """Content of the .pyc file of each (path that tracebacks show, source).

    None where the source does not compile. The format is that of the running Python.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-m", __name__],
        env={"PYTHONHASHSEED": "0", "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        input=marshal.dumps([list(module) for module in modules]),
        capture_output=True,
        check=True,
    )
    results: list[bytes | None] = marshal.loads(done.stdout)  # noqa: S302 - our own child wrote it
    return results


def compile_one(path: str, source: bytes) -> bytes | None:
    """As `compiled`, in this process."""
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):  # templates and samples that are no modules
        return None
    flags = _UNCHECKED_HASH.to_bytes(4, "little")
    head = importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source)
    return head + marshal.dumps(code)


def main() -> None:
    """Modules from standard input, results to standard output."""
    modules = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - our own parent wrote it
    sys.stdout.buffer.write(marshal.dumps([compile_one(path, source) for path, source in modules]))


if __name__ == "__main__":
    main()
