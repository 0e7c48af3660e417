"""One event per line on standard error, key=value; no prompts, answers, object bodies, secrets.

A program that used these functions and `configure` logs like every other one of ours.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO

from typing_extensions import override

_OURS = logging.getLogger("plainsail")


class _Formatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        when = f"{_second(int(record.created))}.{int(record.msecs):03d}Z"
        text = f"ts={when} level={record.levelname.lower()} "
        if record.name == _OURS.name:
            text += record.getMessage()
        else:
            text += _line(record.getMessage(), {"logger": record.name})
        if record.exc_info:
            text += f" traceback={json.dumps(self.formatException(record.exc_info))}"
        return text


def configure(stream: IO[str] | None = None) -> None:
    """Send lines to `stream` (standard error): ours from INFO, other loggers' from WARNING."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _OURS.setLevel(logging.INFO)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its retries are ours to tell


def info(event: str, **fields: object) -> None:
    """Log what happened."""
    _log(logging.INFO, _line(event, fields))


def warning(event: str, **fields: object) -> None:
    """Log what was done differently from what was asked, or may surprise."""
    _log(logging.WARNING, _line(event, fields))


def failure(event: str, error: BaseException | None = None, **fields: object) -> None:
    """Log what should not have happened; our own bug, given as `error`, with its traceback."""
    _log(logging.ERROR, _line(event, fields), error)


def _log(level: int, line: str, error: BaseException | None = None) -> None:
    """What `logging.Logger.log` does, without looking up whose line of code it is: faster."""
    if _OURS.isEnabledFor(level):
        traceback = None if error is None else (type(error), error, error.__traceback__)
        _OURS.handle(logging.LogRecord(_OURS.name, level, "", 0, line, None, traceback))


@lru_cache(maxsize=1)
def _second(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _line(event: str, fields: dict[str, object]) -> str:
    words = [f"event={_value(event)}", *(f"{key}={_value(v)}" for key, v in fields.items())]
    return " ".join(words)


def _value(value: object) -> str:
    """The value as one word: with spaces, quotes or control characters it becomes a JSON text."""
    text = str(value)
    if _PLAIN.fullmatch(text) and text.isprintable():
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


_PLAIN = re.compile(r'[^ "=]+')
