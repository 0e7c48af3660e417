"""The codes of sizing; docs/reference/reasons.md is held against them in tests/docs."""

import re
from pathlib import Path

from presets.sizing import reasons

SOURCES = Path(reasons.__file__).parent


def test_every_code_is_told_by_some_module() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES.glob("*.py")]
    told = {name for text in texts for name in re.findall(r"\breasons\.([A-Z][A-Z0-9_]+)", text)}
    assert {getattr(reasons, name) for name in told} == {*reasons.REASONS, *reasons.WARNINGS}


def test_no_code_is_both_a_reason_and_a_warning() -> None:
    assert not reasons.REASONS.keys() & reasons.WARNINGS.keys()
