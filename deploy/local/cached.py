"""Files and directories of the cache: made once, whole or not at all."""

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds `path` as a lock between processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def directory(home: Path, fill: Callable[[Path], None]) -> Path:
    """`home`, filled by `fill` if it is not there yet.

    `fill` writes into a directory beside it that is then renamed: `home` is whole or absent, also
    after a kill. Processes that want the same one wait for the first. Everybody may read it: pods
    run as nobody, and neither a strict umask nor a library's private files may stop them.
    """
    if home.is_dir():
        return home
    with locked(home.with_name(f"{home.name}.lock")):
        if not home.is_dir():
            fresh = home.with_name(f"{home.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o755)
            fill(fresh)
            _open_to_all(fresh)
            fresh.rename(home)
    return home


def _open_to_all(directory: Path) -> None:
    for folder, _, names in os.walk(directory):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) and mode & 0o444 != 0o444:  # noqa: PLR2004 - r for all
                path.chmod(stat.S_IMODE(mode) | 0o444)


def write(path: Path, content: bytes) -> None:
    """Writes a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_bytes(content)
    fresh.rename(path)


def key(*parts: str | bytes) -> str:
    """16 hex digits that differ when any part does."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8))
        digest.update(raw)
    return digest.hexdigest()[:16]


def stamp(files: Iterable[Path]) -> str:
    """One text of the files' paths, sizes and times of change: differs when one was replaced."""
    lines = []
    for file in files:
        status = file.stat()
        lines.append(f"{file} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(lines)
