"""One event per line on standard error, key=value; no prompts, answers, object bodies, secrets.

A program that used these functions and `configure` logs like every other one of ours.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import IO

from typing_extensions import override

_OURS = logging.getLogger("plainsail")


class _Formatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = f"ts={when[:-6]}Z level={record.levelname.lower()} "
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
    _OURS.info("%s", _line(event, fields))


def warning(event: str, **fields: object) -> None:
    """Log what was done differently from what was asked, or may surprise."""
    _OURS.warning("%s", _line(event, fields))


def failure(event: str, error: BaseException | None = None, **fields: object) -> None:
    """Log what should not have happened; our own bug, given as `error`, with its traceback."""
    _OURS.error("%s", _line(event, fields), exc_info=error)


def _line(event: str, fields: dict[str, object]) -> str:
    words = [f"event={_value(event)}", *(f"{key}={_value(v)}" for key, v in fields.items())]
    return " ".join(words)


def _value(value: object) -> str:
    """The value as one word: with spaces, quotes or control characters it becomes a JSON text."""
    text = str(value)
    plain = text and text.isprintable() and not any(c in ' "=' for c in text)
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())
