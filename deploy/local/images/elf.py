"""Two small things about ELF files: the pause program, and a library without its debug sections."""

import platform
import struct

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_LOAD = 1
_MACHINES = {
    # Machine number of the ELF specification, and machine code that waits for ever: pause() in a
    # loop; on arm64, which has no pause, ppoll() of nothing.
    "x86_64": (62, bytes.fromhex("b822000000 0f05 ebf7")),
    "aarch64": (
        183,
        struct.pack(
            "<8I",
            *(0xD2800000 + register for register in range(5)),  # x0..x4 = 0
            0xD2800928,  # x8 = 73, ppoll
            0xD4000001,  # svc
            0x17FFFFF9,  # back to x0 = 0
        ),
    ),
}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What the OCI image specification calls a machine, by what uname calls it."""


class UnknownMachine(ValueError):
    """Neither x86_64 nor aarch64."""


def machine() -> str:
    """What uname calls this machine: `x86_64` or `aarch64`.

    Raises:
        UnknownMachine: it is another one.
    """
    name = platform.machine()
    if name not in _MACHINES:
        raise UnknownMachine(f"{name} is not one of {', '.join(_MACHINES)}")
    return name


def pause(machine_name: str) -> bytes:
    """A static program that waits until it is killed: process 1 of a pod's sandbox."""
    number, code = _MACHINES[machine_name]
    start = _HEADER.size + _PROGRAM_HEADER.size
    base = 0x400000
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = _HEADER.pack(
        identity, 2, number, 1, base + start, _HEADER.size, 0, 0, 64, 56, 1, 64, 0, 0
    )
    size = start + len(code)
    read_and_execute = 5
    segment = _PROGRAM_HEADER.pack(_LOAD, read_and_execute, 0, base, base, size, size, 0x1000)
    return header + segment + code


def loadable(content: bytes) -> bytes:
    """An ELF file cut after what a loader reads: no section table, no debug sections.

    The loader reads program headers only, so the file loads as before. A file that is not 64-bit
    little-endian ELF, or whose program headers do not come first, is returned as it is.
    """
    if content[:6] != b"\x7fELF\x02\x01" or len(content) < _HEADER.size:
        return content
    fields = list(_HEADER.unpack_from(content))
    offset, entry_size, count = fields[5], fields[9], fields[10]
    if entry_size != _PROGRAM_HEADER.size:
        return content
    end = offset + entry_size * count
    for index in range(count):
        header = _PROGRAM_HEADER.unpack_from(content, offset + index * entry_size)
        end = max(end, header[2] + header[5])
    fields[6] = fields[12] = fields[13] = 0  # section table: none
    return _HEADER.pack(*fields) + content[_HEADER.size : end]
