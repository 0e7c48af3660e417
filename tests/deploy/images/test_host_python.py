"""This machine's CPython as an image's files: what is in, what is out, bytecode, libraries."""

import importlib.util
import marshal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.failures import CannotRun
from deploy.local.images import host_python, oci


@pytest.fixture(scope="module")
def interpreter() -> host_python.Interpreter:
    return host_python.running()


@pytest.fixture(scope="module")
def sources(interpreter: host_python.Interpreter) -> set[str]:
    home = f"{interpreter.target}/"
    return {file.path.removeprefix(home) for file in host_python.sources(interpreter)}


def test_the_interpreter_is_the_one_behind_the_virtual_environment(
    interpreter: host_python.Interpreter,
) -> None:
    program = "import os, sys; print(sys.prefix == sys.base_prefix, os.__file__, sys.version)"
    done = subprocess.run(
        [interpreter.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"True {interpreter.library / 'os.py'} {sys.version}\n"


def test_what_servers_import_is_in(sources: set[str]) -> None:
    assert {"os.py", "asyncio/base_events.py", "unittest/mock.py", "ctypes/__init__.py"} <= sources
    assert any(name.startswith("lib-dynload/_ssl.") for name in sources) or "ssl.py" in sources


def test_tests_windows_and_installers_are_out(sources: set[str]) -> None:
    tops = {name.split("/")[0] for name in sources}
    assert tops.isdisjoint({"test", "idlelib", "tkinter", "ensurepip", "site-packages"})
    assert not any("__pycache__" in name or "/_test" in name for name in sources)


def test_bytecode_is_believed_without_a_look_at_its_source() -> None:
    [file] = host_python.modules_bytecode([oci.File("app/m.py", b"X = 6 * 7\n")], "3.11")
    assert (file.path, file.mode) == ("app/__pycache__/m.cpython-311.pyc", 0o644)
    assert isinstance(file.content, bytes)
    assert file.content[:4] == importlib.util.MAGIC_NUMBER
    assert file.content[4:8] == b"\x01\0\0\0"  # PEP 562: hash-based, unchecked
    assert file.content[8:16] == importlib.util.source_hash(b"X = 6 * 7\n")
    code = marshal.loads(file.content[16:])
    assert (code.co_filename, code.co_consts[0]) == ("/app/m.py", 42)


def test_the_interpreter_imports_our_bytecode_and_not_the_source(tmp_path: Path) -> None:
    """The source says otherwise: proof that the bytecode was read."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    [file] = host_python.modules_bytecode([oci.File("m.py", b"X = 'bytecode'\n")], version)
    assert isinstance(file.content, bytes)
    (tmp_path / "m.py").write_text("X = 'source'\n")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / Path(file.path).name).write_bytes(file.content)
    done = subprocess.run(
        [sys.executable, "-c", "import m; print(m.X)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "bytecode\n"


def test_what_does_not_compile_and_what_is_no_module_has_no_bytecode() -> None:
    files = [oci.File("a/template.py", b"{{ name }} ="), oci.File("a/readme.md", b"x = 1")]
    assert host_python.modules_bytecode(files, "3.11") == []


def test_libraries_hold_libc_and_the_loader(interpreter: host_python.Interpreter) -> None:
    found = host_python.libraries([interpreter.executable])
    assert "libc.so.6" in found
    assert any(name.startswith("/") and "ld-linux" in name for name in found)
    assert all(path.is_file() for path in found.values())


def test_libraries_lie_where_the_loader_looks_and_the_loader_where_programs_say(
    tmp_path: Path,
) -> None:
    for name in ("libc.so.6", "libx.so.1", "ld.so"):
        (tmp_path / name).write_bytes(name.encode())
    found = {
        "libc.so.6": Path("/lib/x86_64-linux-gnu/libc.so.6"),
        "/lib64/ld.so": tmp_path / "ld.so",
    }
    assert host_python.library_home(found) == "usr/lib/x86_64-linux-gnu"
    assert host_python.merged_usr(found) == [
        oci.Link("bin", "usr/bin"),
        oci.Link("lib", "usr/lib"),
        oci.Link("lib64", "usr/lib64"),
    ]


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ldd"
    fake.write_text("#!/bin/sh\nprintf '\\tlibnot.so.3 => not found\\n'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CannotRun, match=r"the library libnot\.so\.3 is missing"):
        host_python.libraries([Path("/bin/true")])
