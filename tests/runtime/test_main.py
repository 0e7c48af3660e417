"""The program from outside: exit status and what it says, without loading a model."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runtime", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.slow
def test_a_missing_directory_is_exit_3_and_a_hint(tmp_path: Path) -> None:
    ended = run("serve", f"--model={tmp_path}/absent", "--served-name=m", "--port=0")
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[-2:] == [
        f"--model: {tmp_path}/absent is not a directory",
        "hint: mount the weights there, or give ORG/NAME of the model hub",
    ]
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_port_in_use_is_exit_2_and_a_hint() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("serve", "--model=/absent", "--served-name=m", f"--port={port}")
    assert (ended.returncode, ended.stderr) == (
        2,
        (
            f"--port: cannot listen on {port}: Address already in use\n"
            "hint: stop what listens there, or give another --port\n"
        ),
    )


def test_wrong_arguments_are_exit_2_and_one_message() -> None:
    ended = run("serve", "--model=/m", "--dtype=int3")
    assert ended.returncode == 2
    message, hint = ended.stderr.splitlines()
    assert message.startswith("argument --dtype: invalid choice: 'int3'")
    assert hint == "hint: see --help"


@pytest.mark.parametrize("imported", ["torch", "transformers", "fastapi", "uvicorn", "pydantic"])
def test_help_imports_nothing_heavy(imported: str) -> None:
    script = (
        "import contextlib, sys\n"
        "from runtime import __main__ as program\n"
        "with contextlib.suppress(SystemExit): program.main(['--help'])\n"
        f"sys.exit({imported!r} in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert ended.returncode == 0
    assert b"serve" in ended.stdout
