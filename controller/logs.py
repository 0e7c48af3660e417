"""One event per line on standard error, as key=value."""

import json
import logging
import sys
from datetime import UTC, datetime

from typing_extensions import override


class _Formatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = f"ts={when[:-6]}Z level={record.levelname.lower()} {record.getMessage()}"
        if record.exc_info:
            text += f" traceback={json.dumps(self.formatException(record.exc_info))}"
        return text


def configure() -> None:
    """Send every logger's lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def line(event: str, **fields: object) -> str:
    """`event=... key=value ...`; values with spaces, quotes or line breaks are quoted as JSON."""
    return " ".join([f"event={event}", *(f"{key}={_value(v)}" for key, v in fields.items())])


def _value(value: object) -> str:
    text = str(value)
    plain = text and not any(c.isspace() or c in '"=' for c in text)
    return text if plain else json.dumps(text, ensure_ascii=False)
