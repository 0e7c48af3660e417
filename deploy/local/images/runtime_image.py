"""The runtime's image for local clusters: everything but the torch stack, and the pause image.

Three layers, each kept in the cache under a key of what it was made from:
interpreter and C libraries; light packages of the lock; our code and tiny-chat. A change of code
makes the third one anew.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.local import cached
from deploy.local.failures import CannotRun
from deploy.local.images import elf, host_python, lockfile, oci

APP = "opt/plainsail/app"
MODELS = "opt/plainsail/models"
PACKAGES = ("presets", "runtime", "telemetry")
MODEL = "tiny-chat"
NOBODY = 65534
FORMAT = "1"
"""Part of every key: raise it when this program writes layers differently."""
WEEK_SECONDS = 7 * 24 * 3600
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"

Report = Callable[[str], None]
"""Takes one line about how far a long step is."""


def build(
    reference: str, repository: Path, cache: Path, report: Report, *, model: bool = True
) -> oci.Image:
    """The runtime's image under the name `reference`, made of the repository's files.

    Takes some 15 s the first time on a machine, tens of milliseconds when nothing changed.

    Raises:
        CannotRun: tiny-chat is missing though `model` asks for it, a package of the lock cannot
            be installed, or a C library of the interpreter is missing.
    """
    interpreter = host_python.running()
    site = light_packages(repository, cache, report)
    layers = [
        _base_layer(interpreter, cache, report),
        _site_layer(interpreter, site, cache, report),
        _app_layer(interpreter, app_files(repository, model=model), cache),
    ]
    return oci.image(reference, layers, config(), elf.ARCHITECTURES[elf.machine()])


def config() -> dict[str, object]:
    """What containers of the image start with."""
    environment = {
        "HOME": "/tmp",  # noqa: S108 - the one directory that pods can write
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PLAINSAIL_MODELS": f"/{MODELS}",
        "PYTHONPATH": f"/{APP}",
        "SSL_CERT_FILE": f"/{CERTIFICATES}",
    }
    return {
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "Cmd": ["python3", "-m", "runtime"],
        "User": str(NOBODY),
        "WorkingDir": f"/{APP}",
    }


def pause(reference: str) -> oci.Image:
    """The image of a pod's sandbox: one program of about 130 bytes."""
    machine = elf.machine()
    layer = oci.layer([oci.File("pause", elf.pause(machine), 0o755)])
    return oci.image(reference, [layer], {"Entrypoint": ["/pause"]}, elf.ARCHITECTURES[machine])


def app_files(repository: Path, *, model: bool = True) -> list[oci.File]:
    """Our packages and tiny-chat, as they lie in the repository.

    Raises:
        CannotRun: tiny-chat is missing though `model` asks for it.
    """
    skip = frozenset({"__pycache__"})
    found = [
        file
        for package in PACKAGES
        for file in oci.tree(repository / package, f"{APP}/{package}", skip=skip)
    ]
    weights = repository / "models" / MODEL
    if weights.is_dir():
        return [*found, *oci.tree(weights, f"{MODELS}/{MODEL}", skip=skip)]
    if model:
        raise CannotRun(f"{weights}: no model there", "make model trains it")
    return found


def light_packages(repository: Path, cache: Path, report: Report) -> Path:
    """Directory of the lock's light packages, installed once per lock and Python."""
    pins = lockfile.parse((repository / "requirements/runtime.txt").read_text())
    light = lockfile.text(lockfile.split(pins).light)
    home = cache / f"site-{cached.key(FORMAT, sys.version, light)}"
    return cached.directory(home, lambda fresh: install(repository, light, fresh, report))


def install(repository: Path, lock: str, target: Path, report: Report) -> None:
    """Installs a lock into a directory, from uv's cache alone where that is enough.

    Raises:
        CannotRun: uv refused; the message is its last line.
    """
    requirements = target.with_name(f"{target.name}.txt")
    requirements.write_text(lock)
    command = [str(repository / "scripts/uv"), "pip", "install", "--no-deps", "--require-hashes"]
    command += ["--python", sys.executable, "--target", str(target), "-r", str(requirements)]
    try:
        if _said([*command, "--offline"], report) is None:
            return
        refusal = _said(command, report)
    finally:
        requirements.unlink()
    if refusal is not None:
        raise CannotRun(
            f"packages of requirements/runtime.txt could not be installed: {refusal}",
            "a first run needs the package index; make env shows whether it can be reached",
        )


def _said(command: list[str], report: Report) -> str | None:
    """None when uv succeeds, else its last line; downloads are reported as it tells of them."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stderr is not None
        last = "no message"
        for line in process.stderr:
            last = line.strip() or last
            if last.startswith("Download"):
                report(last)
    return last if process.returncode else None


def _base_layer(interpreter: host_python.Interpreter, cache: Path, report: Report) -> oci.Blob:
    files = host_python.sources(interpreter)
    paths = [file.content for file in files if isinstance(file.content, Path)]
    stamp = cached.stamp([interpreter.executable, *paths])

    def entries() -> list[oci.Entry]:
        report(f"image layer 1 of 3: Python {interpreter.version}")
        modules = [path for path in paths if path.suffix == ".so"]
        found = host_python.libraries([interpreter.executable, *modules])
        found |= host_python.later_libraries(found)
        return [
            *host_python.entries(interpreter, files),
            *host_python.library_entries(found),
            *host_python.merged_usr(found),
            *_system_files(),
        ]

    return _layer("base", cached.key(FORMAT, sys.version, stamp), entries, cache)


def _system_files() -> list[oci.Entry]:
    return [
        oci.File("etc/passwd", f"nobody:x:{NOBODY}:{NOBODY}:nobody:/tmp:/\n".encode()),
        oci.File("etc/group", f"nogroup:x:{NOBODY}:\n".encode()),
        oci.File("etc/nsswitch.conf", b"hosts: files dns\n"),
        oci.Directory("usr/bin"),
        oci.Directory("tmp", 0o1777),
    ]


def _site_layer(
    interpreter: host_python.Interpreter, site: Path, cache: Path, report: Report
) -> oci.Blob:
    def entries() -> list[oci.Entry]:
        report("image layer 2 of 3: light packages")
        skip = frozenset({"__pycache__", "bin"})
        files = oci.tree(site, _site_packages(interpreter), skip=skip)
        certificates = oci.File(CERTIFICATES, site / "certifi/cacert.pem")
        return [*host_python.compact(files, interpreter.version), certificates]

    return _layer("site", cached.key(site.name), entries, cache)


def _site_packages(interpreter: host_python.Interpreter) -> str:
    """Where the interpreter looks for packages in the image: Debian's differs from CPython's."""
    program = f"import site; print(site.getsitepackages(['/{host_python.PREFIX}'])[-1])"
    command = [str(interpreter.executable), "-I", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()[1:]


def _app_layer(
    interpreter: host_python.Interpreter, files: list[oci.File], cache: Path
) -> oci.Blob:
    contents: list[str | bytes] = [FORMAT, sys.version]
    for file in files:
        assert isinstance(file.content, Path)
        contents += [file.path, str(file.mode), file.content.read_bytes()]

    def entries() -> list[oci.Entry]:
        return host_python.compact(files, interpreter.version)

    return _layer("app", cached.key(*contents), entries, cache)


def _layer(name: str, key: str, entries: Callable[[], list[oci.Entry]], cache: Path) -> oci.Blob:
    path = cache / "layers" / f"{name}-{key}.tar"
    record = path.with_suffix(".json")
    found = oci.load(record, path)
    if found is None:
        found = oci.write_layer(entries(), path)
        oci.save(found, record)
        _forget(path, name)
    return found


def _forget(path: Path, name: str) -> None:
    """Removes layers of this name that are a week older: another clone may use a younger one."""
    newest = path.stat().st_mtime
    for other in path.parent.glob(f"{name}-*"):
        if other.stat().st_mtime < newest - WEEK_SECONDS:
            other.unlink(missing_ok=True)
