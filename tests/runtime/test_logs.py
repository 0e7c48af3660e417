"""One event is one line of key=value, whatever the values hold."""

import io
import logging
import shlex
from collections.abc import Iterator

import pytest

from runtime import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), logging.getLogger("runtime")
    before = (root.handlers[:], root.level, ours.level)
    captured = io.StringIO()
    logs.configure(captured)
    yield captured
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def test_an_event_is_one_line_and_reads_back(stream: io.StringIO) -> None:
    logs.info("model_loaded", path='a "b" c', note="x\ny", empty="")
    (line,) = stream.getvalue().splitlines()
    fields = dict(f.split("=", 1) for f in shlex.split(line))
    assert fields["event"] == "model_loaded"
    assert fields["path"] == 'a "b" c'
    assert fields["note"] == "x\\ny"
    assert fields["empty"] == ""


def test_another_librarys_line_is_an_event_and_names_it(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("two words")
    logging.getLogger("uvicorn.error").info("left out")
    (line,) = stream.getvalue().splitlines()
    assert line.endswith('level=WARNING logger=uvicorn.error event="two words"')


def test_a_failure_brings_its_traceback(stream: io.StringIO) -> None:
    logs.failure("broke", ValueError("why"), path="/chat")
    assert "event=broke path=/chat" in stream.getvalue()
    assert "ValueError: why" in stream.getvalue()
