"""Options and fixtures of all tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["tests.apiserver", "tests.controlplane"]

FAST_SEEDS = 20

GOLDEN = Path(__file__).parent / "golden"

_USED = pytest.StashKey[set[Path]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files with what the code gives now",
    )
    parser.addoption(
        "--find-unused-goldens",
        action="store_true",
        help="fail where a golden file is used by no test: for a run of all the fast tests",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of every law the first seeds are fast tests; `make test` runs all of them."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            seed = item.callspec.params.get("seed")
            if isinstance(seed, int) and seed >= FAST_SEEDS:
                item.add_marker(pytest.mark.slow)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_USED] = set()


class Goldens:
    """Golden files under tests/golden; whatever no test reads is found at the end of the run."""

    def __init__(self, used: set[Path], *, update: bool) -> None:
        self._used = used
        self._update = update

    def read(self, path: Path) -> str:
        """The text of a file that is an input."""
        self._used.add(path)
        return path.read_text(encoding="utf-8")

    def check(self, path: Path, actual: str) -> None:
        """`actual` is what the file holds; with --update-golden it is what the file gets."""
        self._used.add(path)
        if self._update:
            path.write_text(actual, encoding="utf-8")
        assert path.exists(), f"{path} is missing; `make golden` writes it"
        assert actual == path.read_text(encoding="utf-8")


@pytest.fixture
def goldens(request: pytest.FixtureRequest) -> Goldens:
    """Read and check golden files."""
    update = bool(request.config.getoption("--update-golden"))
    return Goldens(request.config.stash[_USED], update=update)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of a parallel run has ended: what its tests used counts here."""
    used: list[str] = getattr(node, "workeroutput", {}).get("goldens", [])
    config: pytest.Config = node.config
    config.stash[_USED].update(Path(one) for one in used)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where a golden file was used by no test."""
    if hasattr(session.config, "workeroutput"):
        used = session.config.stash[_USED]
        session.config.workeroutput["goldens"] = [str(path) for path in used]
        return
    if not session.config.getoption("--find-unused-goldens") or session.testsfailed:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for path in sorted(_unused(session.config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if reporter is not None:
            reporter.write_line(f"unused golden file: {path}", red=True)


def _unused(config: pytest.Config) -> Iterator[Path]:
    """Files beside used ones: only kinds of golden files that this run looked at are judged."""
    used = config.stash[_USED]
    for kind in {GOLDEN / path.relative_to(GOLDEN).parts[0] for path in used}:
        yield from (path for path in kind.rglob("*") if path.is_file() and path not in used)
