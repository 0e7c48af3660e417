"""The fixture that runs the command."""

from collections.abc import Mapping

import pytest

from presets import catalog
from tests.cli.running import Run

_OURS = catalog.load()


@pytest.fixture(autouse=True)
def _presets_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a process that runs one command; here hundreds run in one."""
    load = catalog.load

    def cached(own: Mapping[str, str] | None = None) -> catalog.Catalog:
        return _OURS if own is None else load(own)

    monkeypatch.setattr(catalog, "load", cached)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)
