"""This machine's CPython as the files of an image: interpreter, standard library, C libraries."""

import os
import re
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.failures import CannotRun
from deploy.local.images import bytecode, elf, oci

PREFIX = "usr/local"
"""Where the interpreter lives in the image; CPython finds its library relative to itself."""
LEFT_OUT = frozenset(
    {
        "__pycache__",
        "dist-packages",
        "ensurepip",
        "idlelib",
        "idle_test",
        "lib2to3",
        "site-packages",
        "sitecustomize.py",  # Debian's belongs to Debian
        "test",
        "tests",
        "tkinter",
        "turtledemo",
    }
)
LOADED_LATER = (
    # What libraries of the torch stack and of the resolver ask for, which no file here names.
    "libdl.so.2",
    "libgcc_s.so.1",
    "libgomp.so.1",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libstdc++.so.6",
    "libutil.so.1",
)

_RESOLVED = re.compile(r"^\s+(?:(\S+) => )?(/\S+) \(0x", re.MULTILINE)
_MISSING = re.compile(r"^\s+(\S+) => not found", re.MULTILINE)
_TOOLS_ONLY = re.compile(r"^(_test|_tkinter|_ctypes_test|_xxtestfuzz|xx)")


@dataclass(frozen=True)
class Interpreter:
    """A CPython installation of this machine."""

    executable: Path
    library: Path
    """Directory of the standard library."""
    version: str
    """`3.11`."""
    platlib: str
    """`lib` or `lib64`."""

    @property
    def target(self) -> str:
        """Where its library goes in the image."""
        return f"{PREFIX}/{self.platlib}/python{self.version}"


def running() -> Interpreter:
    """The installation behind the interpreter that runs this, a virtual environment's included."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    executable = Path(sys.base_prefix, "bin", f"python{version}")
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    return Interpreter(executable.resolve(), library, version, sys.platlibdir)


def sources(interpreter: Interpreter) -> list[oci.File]:
    """Its library's files: modules and extension modules, no tests, no windows, no headers."""
    return [
        file
        for file in oci.tree(interpreter.library, interpreter.target, skip=LEFT_OUT)
        if "/config-" not in file.path and not _TOOLS_ONLY.match(Path(file.path).name)
    ]


def entries(interpreter: Interpreter, files: Sequence[oci.File]) -> list[oci.Entry]:
    """The interpreter's part of a layer: programs, library, bytecode, debug sections cut off."""
    name = f"python{interpreter.version}"
    program = elf.loadable(interpreter.executable.read_bytes())
    found: list[oci.Entry] = [
        oci.File(f"{PREFIX}/bin/{name}", program, 0o755),
        oci.Link(f"{PREFIX}/bin/python3", name),
        oci.Link(f"{PREFIX}/bin/python", name),
    ]
    return [*found, *compact(files, interpreter.version)]


def compact(files: Sequence[oci.File], version: str) -> list[oci.Entry]:
    """The files, shared libraries without their debug sections, modules with their bytecode."""
    found: list[oci.Entry] = []
    for file in files:
        if isinstance(file.content, Path) and re.search(r"\.so(\.|$)", file.path):
            content = elf.loadable(file.content.read_bytes())
            found.append(oci.File(file.path, content, file.mode))
        else:
            found.append(file)
    return [*found, *modules_bytecode(files, version)]


def modules_bytecode(files: Iterable[oci.File], version: str) -> list[oci.File]:
    """A .pyc file beside each module that compiles, believed without a look at its source.

    Must run in the interpreter of the image: the format belongs to its minor version.
    """
    modules = [file for file in files if file.path.endswith(".py")]
    contents = bytecode.compiled([(f"/{file.path}", _read(file)) for file in modules])
    return [
        oci.File(_cached_path(file.path, version), content)
        for file, content in zip(modules, contents, strict=True)
        if content is not None
    ]


def _read(file: oci.File) -> bytes:
    return file.content if isinstance(file.content, bytes) else file.content.read_bytes()


def _cached_path(path: str, version: str) -> str:
    folder, _, name = path.rpartition("/")
    suffix = f"cpython-{version.replace('.', '')}.pyc"
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.{suffix}"


def libraries(programs: Sequence[Path]) -> dict[str, Path]:
    """C libraries that `programs` load, by name, the loader among them (its name is a path).

    Raises:
        CannotRun: one is not on this machine.
    """
    found: dict[str, Path] = {}
    done = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False)
    missing = _MISSING.search(done.stdout)
    if missing:
        raise CannotRun(f"the library {missing[1]} is missing", "install the package that has it")
    for name, path in _RESOLVED.findall(done.stdout):
        found[name or path] = Path(path)
    return found


def library_entries(found: dict[str, Path]) -> list[oci.Entry]:
    """The libraries in the directory that this machine's loader searches for libc."""
    home = library_home(found)
    here: list[oci.Entry] = []
    for name, path in sorted(found.items()):
        content = elf.loadable(path.read_bytes())
        if name.startswith("/"):  # the loader, at the path that programs name
            here.append(oci.File(_merged(name), content, 0o755))
        else:
            here.append(oci.File(f"{home}/{name}", content, 0o755))
    return here


def library_home(found: dict[str, Path]) -> str:
    """Directory of libc, below /usr."""
    return _merged(str(found["libc.so.6"].parent))


def later_libraries(found: dict[str, Path]) -> dict[str, Path]:
    """Those of `LOADED_LATER` that this machine has beside libc, with what they load."""
    home = found["libc.so.6"].parent
    present = [home / name for name in LOADED_LATER if (home / name).exists()]
    return {**{path.name: path for path in present}, **libraries(present)}


def merged_usr(found: dict[str, Path]) -> list[oci.Entry]:
    """Links of the root directory into /usr, as current distributions have them."""
    tops = {"bin", *(name.split("/")[1] for name in found if name.startswith("/")), "lib"}
    return [oci.Link(top, f"usr/{top}") for top in sorted(tops - {"usr"})]


def _merged(path: str) -> str:
    """`/lib/x/y` and `/usr/lib/x/y` as `usr/lib/x/y`."""
    return path.lstrip("/") if path.startswith("/usr/") else f"usr{path}"


def extension_modules(directory: Path) -> list[Path]:
    """Shared libraries under a directory."""
    found = []
    for folder, _, names in os.walk(directory):
        paths = (Path(folder, name) for name in sorted(names) if re.search(r"\.so(\.|$)", name))
        found += [path for path in paths if stat.S_ISREG(path.lstat().st_mode)]
    return found
