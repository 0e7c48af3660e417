"""One event per line on stderr, key=value; never prompts, answers, bodies or secrets."""

import logging
import sys
from typing import IO

from typing_extensions import override

_logger = logging.getLogger("runtime")


class _Formatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        at = f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{record.msecs:03.0f}"
        fields = {"at": at, "level": record.levelname}
        if record.name != _logger.name:
            fields["logger"] = record.name
        line = render(**fields) + " " + _as_event(record)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _as_event(record: logging.LogRecord) -> str:
    text = record.getMessage()
    return text if record.name == _logger.name else render(event=text)


def render(**fields: object) -> str:
    """The fields as `key=value`, quoted where a value holds spaces, quotes or nothing."""
    return " ".join(f"{key}={_quoted(str(value))}" for key, value in fields.items())


def _quoted(value: str) -> str:
    if value and not any(c in value for c in ' "=\n\r\t'):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("\r", "\\r").replace("\t", "\\t") + '"'


def configure(stream: IO[str] | None = None) -> None:
    """Send every logger's lines to `stream` (stderr): ours from INFO, others' from WARNING."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _logger.setLevel(logging.INFO)


def info(event: str, **fields: object) -> None:
    """Log what happened."""
    _logger.info(render(event=event, **fields))


def warning(event: str, **fields: object) -> None:
    """Log what was done differently from what was asked, or may surprise."""
    _logger.warning(render(event=event, **fields))


def failure(event: str, error: Exception, **fields: object) -> None:
    """Log our own bug, once, with its traceback."""
    _logger.error(render(event=event, **fields), exc_info=error)
