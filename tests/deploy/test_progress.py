"""Long steps say what they do, how far they are and how long they took."""

import io
import time

import pytest
from typing_extensions import override

from deploy.local.progress import Progress


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_quick_step_is_one_plain_line() -> None:
    stream = io.StringIO()
    with Progress(stream).step("image") as progress:
        progress.report("layer 1 of 3")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("✓ image  0.")
    assert "\033" not in line


def test_without_a_terminal_a_long_step_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.progress.FIRST_SECONDS", 0.0)
    stream = io.StringIO()
    with Progress(stream).step("image") as progress:
        progress.report("layer 1 of 3")
        time.sleep(0.25)
    first, last = stream.getvalue().splitlines()
    assert first == "... image: layer 1 of 3  0 s"
    assert last.startswith("✓ image  0.")


def test_a_failed_step_says_how_far_it_came() -> None:
    stream = io.StringIO()
    progress = Progress(stream)

    def work() -> None:
        with progress.step("image"):
            progress.report("layer 1 of 3")
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        work()
    assert stream.getvalue().splitlines()[-1].startswith("✗ image: layer 1 of 3  0.")


def test_on_a_terminal_one_line_renews_itself() -> None:
    stream = Terminal()
    with Progress(stream).step("image"):
        pass
    assert stream.getvalue().startswith("\r\033[K✓ image")
