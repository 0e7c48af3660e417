"""Everything of a cluster, found by its name alone and removed, whatever a kill left."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from deploy.local import cgroups, network, paths, processes

STOP_SECONDS = 5.0


def daemon_pid(files: paths.ClusterPaths) -> int:
    """Process id of the cluster's daemon; 0 when none holds its lock."""
    with contextlib.suppress(OSError), files.lock.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(ValueError):
                return int(lock.read())
    return 0


def found(name: str) -> list[str]:
    """What of cluster `name` exists, in words."""
    files = paths.cluster(name)
    namespaces = network.existing(name)
    what = {
        "its daemon": daemon_pid(files),
        "processes": list(processes.in_namespaces(namespaces)),
        "network namespaces": namespaces,
        "mounts": _mounts(files.root),
        "cgroups": cgroups.existing(name),
        "files": files.root.exists(),
    }
    return [words for words, there in what.items() if there]


def clear(name: str) -> None:
    """Removes cluster `name`: processes, namespaces with their links, mounts, cgroups, files."""
    files = paths.cluster(name)
    _stop_daemon(files)
    namespaces = network.existing(name)
    for _ in range(3):
        # A machine that was being booted may add one process behind our back.
        pids = [*processes.in_namespaces(namespaces), *_our_processes(files)]
        if not pids:
            break
        processes.kill(pids)
    network.delete(namespaces)
    for mount in _mounts(files.root):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
    cgroups.remove(cgroups.path(name))
    shutil.rmtree(files.root, ignore_errors=True)
    # Of several clusters the last one takes the shared directories with it.
    for directory in (files.root.parent, network.NAMESPACES):
        _remove_when_empty(directory)


def _stop_daemon(files: paths.ClusterPaths) -> None:
    pid = daemon_pid(files)
    if not pid:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while processes.alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    processes.kill([pid])


def _our_processes(files: paths.ClusterPaths) -> list[int]:
    """The daemon before it holds its lock, and machines whose network namespace is gone."""
    mark = f"{files.root}/".encode()
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes()
                # A path alone could stand on the command line of somebody's editor.
                if mark in words and b"deploy.local." in words:
                    pids.append(int(entry.name))
    return pids


def _mounts(root: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    targets = [line.split()[1] for line in lines]
    return sorted((t for t in targets if t.startswith(f"{root}/")), reverse=True)


def _remove_when_empty(directory: Path) -> None:
    """Removes a directory that we may have made; `ip netns` leaves its own as a mount point."""
    with contextlib.suppress(OSError):
        if directory.is_dir() and not any(directory.iterdir()):
            if directory == network.NAMESPACES:
                command = ["umount", str(directory)]
                subprocess.run(command, capture_output=True, check=False)
            directory.rmdir()
