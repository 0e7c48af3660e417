"""Process 1 of a machine: private mounts, then containerd, kubelet and the device plugin for ever.

Started in a new mount and pid namespace; the kernel ends everything below when this process ends.
Reads one file, `init.json`, that `machines.create` wrote.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

PRIVATE = ("/run", "/var/lib/containerd", "/var/lib/kubelet", "/var/lib/cni")
"""Directories that every machine has for itself, in memory: deleting images from a disk takes
seconds for each 100 MB."""
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet wants to read there; these are host-wide, so the real ones stay as they are."""


def main() -> None:
    """Sets the machine up and keeps its programs running."""
    directory = Path(sys.argv[1])
    plan = json.loads((directory / "init.json").read_text())
    _mount(directory)
    running = {name: _start(directory, name, argv) for name, argv in plan["first"].items()}
    _wait_for(Path(plan["socket"]))
    running |= {name: _start(directory, name, argv) for name, argv in plan["then"].items()}
    commands = plan["first"] | plan["then"]
    while True:
        pid, status = os.wait()
        for name, process in running.items():
            if process.pid == pid:
                sys.stdout.write(f"machine_init: {name} ended: {status}; starting again\n")
                sys.stdout.flush()
                time.sleep(0.5)
                running[name] = _start(directory, name, commands[name])
                break


def _mount(directory: Path) -> None:
    _run("mount", "-t", "proc", "proc", "/proc")
    for path in PRIVATE:
        Path(path).mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", "mode=0755,size=75%", "tmpfs", path)
    pods = directory / "pods"
    pods.mkdir(exist_ok=True)
    Path("/var/log/pods").mkdir(exist_ok=True)
    _run("mount", "--bind", str(pods), "/var/log/pods")
    values = directory / "sysctl"
    values.mkdir(exist_ok=True)
    for name, value in SYSCTLS.items():
        file = values / name.replace("/", ".")
        file.write_text(value + "\n")
        _run("mount", "--bind", str(file), f"/proc/sys/{name}")


def _start(directory: Path, name: str, argv: list[str]) -> subprocess.Popen[bytes]:
    with (directory / f"{name}.log").open("ab") as log:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _wait_for(socket: Path) -> None:
    deadline = time.monotonic() + 30
    while not socket.exists() and time.monotonic() < deadline:
        time.sleep(0.005)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    main()
