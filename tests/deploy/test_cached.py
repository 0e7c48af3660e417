"""The cache: whole or absent, made once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import cached


def test_a_failed_fill_leaves_no_directory_and_the_next_succeeds(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def fail(fresh: Path) -> None:
        (fresh / "half").write_text("")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        cached.directory(home, fail)
    assert not home.exists()
    cached.directory(home, lambda fresh: (fresh / "whole").touch())
    assert [path.name for path in home.iterdir()] == ["whole"]


def test_many_at_once_fill_once(tmp_path: Path) -> None:
    filled: list[Path] = []
    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(cached.directory, tmp_path / "home", filled.append)
    assert len(filled) == 1


def test_everybody_may_read_what_a_strict_umask_or_a_library_kept_private(tmp_path: Path) -> None:
    def fill(fresh: Path) -> None:
        (fresh / "d").mkdir(mode=0o700)
        (fresh / "d/weights").touch(mode=0o600)
        (fresh / "d/run").touch(mode=0o755)

    home = cached.directory(tmp_path / "home", fill)
    modes = [oct(path.stat().st_mode & 0o777) for path in (home, *sorted(home.rglob("*")))]
    assert modes == ["0o755", "0o755", "0o755", "0o644"]


def test_a_key_tells_where_its_parts_end() -> None:
    assert cached.key("ab", "c") != cached.key("a", "bc")


def test_a_stamp_differs_when_a_file_was_replaced(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("1")
    before = cached.stamp([file])
    file.write_text("22")
    assert cached.stamp([file]) != before
