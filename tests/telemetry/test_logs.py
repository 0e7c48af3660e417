"""One event is one line of key=value, whatever the values hold."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from telemetry import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, ours, http = (logging.getLogger(name) for name in (None, "plainsail", "urllib3"))
    before = (root.handlers[:], root.level, ours.level, http.level)
    captured = io.StringIO()
    logs.configure(captured)
    yield captured
    root.handlers[:] = before[0]
    for logger, level in zip((root, ours, http), before[1:], strict=True):
        logger.setLevel(level)


def test_an_event_is_one_line_and_reads_back(stream: io.StringIO) -> None:
    logs.info("model_loaded", path='a "b" c', note="x\ny", escape="\x1b[0m", empty="", count=3)
    (line,) = stream.getvalue().splitlines()
    quoted = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*")', line))
    assert {key: json.loads(text) for key, text in quoted.items()} == {
        "path": 'a "b" c',
        "note": "x\ny",
        "escape": "\x1b[0m",
        "empty": "",
    }
    assert re.match(r"ts=2\d{3}-\S+Z level=info event=model_loaded path=", line)
    assert line.endswith("count=3")


def test_another_librarys_line_is_an_event_and_names_it(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("two words")
    logging.getLogger("uvicorn.error").info("left out")
    (line,) = stream.getvalue().splitlines()
    assert line.endswith('level=warning event="two words" logger=uvicorn.error')


def test_a_failure_brings_its_traceback_on_the_same_line(stream: io.StringIO) -> None:
    logs.failure("broke", ValueError("why\nso"), path="/chat")
    (line,) = stream.getvalue().splitlines()
    assert "level=error event=broke path=/chat traceback=" in line
    assert "ValueError: why" in line


def test_a_percent_sign_is_no_format(stream: io.StringIO) -> None:
    logs.warning("odd", why="100%d")
    assert stream.getvalue().endswith("why=100%d\n")
