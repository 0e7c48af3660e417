"""ELF: the pause program, and files cut after what the loader reads."""

import os
import platform
import select
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.images import elf


def test_pause_is_small() -> None:
    assert len(elf.pause("x86_64")) == 129


@pytest.mark.skipif(platform.machine() not in elf.ARCHITECTURES, reason="needs x86_64 or aarch64")
def test_pause_runs_until_it_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(elf.pause(platform.machine()))
    program.chmod(0o755)
    process = subprocess.Popen([program])
    ended = os.pidfd_open(process.pid)
    try:
        assert select.select([ended], [], [], 0.1)[0] == []
        process.terminate()
        assert process.wait(5) == -15
    finally:
        process.kill()
        os.close(ended)


def test_a_cut_interpreter_still_runs(tmp_path: Path) -> None:
    whole = Path(sys.executable).resolve().read_bytes()
    cut = elf.loadable(whole)
    program = tmp_path / "python"
    program.write_bytes(cut)
    program.chmod(0o755)
    done = subprocess.run(
        [program, "-I", "-S", "-c", "print(6 * 7)"],
        env={"PYTHONHOME": sys.base_prefix},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (len(cut) < len(whole), done.stdout) == (True, "42\n")


def test_cutting_twice_is_cutting_once() -> None:
    once = elf.loadable(Path(sys.executable).resolve().read_bytes())
    assert elf.loadable(once) == once


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100), b"\x7fELF\x02\x01"],
    ids=["empty", "script", "32-bit", "cut short"],
)
def test_what_is_not_64_bit_elf_stays_as_it_is(content: bytes) -> None:
    assert elf.loadable(content) == content
