"""The few messages of the kubelet's device plugin protocol, as protocol buffers by hand: pure.

Source: k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1/api.proto.
"""

from collections.abc import Iterator, Mapping, Sequence

VERSION = "v1beta1"
_SEVEN_BITS = 0x7F
"""What a byte of a number holds; its eighth bit says that more follow."""
_BYTES = 2
"""Wire type of strings, bytes and messages: a length, then the content."""


class Malformed(ValueError):
    """Bytes that are no protocol buffer of the expected form."""


def registration(endpoint: str, resource: str) -> bytes:
    """RegisterRequest: version, socket's file name, resource's name."""
    return _text(1, VERSION) + _text(2, endpoint) + _text(3, resource)


def device_list(ids: Sequence[str]) -> bytes:
    """ListAndWatchResponse: every device, healthy."""
    return b"".join(_field(1, _text(1, device) + _text(2, "Healthy")) for device in ids)


def requested_devices(request: bytes) -> list[list[str]]:
    """Device ids of an AllocateRequest, per container.

    Raises:
        Malformed: `request` is not one.
    """
    return [
        [_decoded(device) for number, device in _fields(container) if number == 1]
        for number, container in _fields(request)
        if number == 1
    ]


def allocation(environments: Sequence[Mapping[str, str]], mounts: Mapping[str, str]) -> bytes:
    """AllocateResponse: per container its environment, and the same read-only mounts."""
    read_only = bytes([3 << 3, 1])
    mounted = b"".join(
        _field(2, _text(1, container) + _text(2, host) + read_only)
        for container, host in mounts.items()
    )
    return b"".join(
        _field(1, b"".join(_field(1, _text(1, k) + _text(2, v)) for k, v in env.items()) + mounted)
        for env in environments
    )


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a device's name is not UTF-8: {content!r}") from error


def _text(number: int, value: str) -> bytes:
    return _field(number, value.encode())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > _SEVEN_BITS:
        out.append(value & _SEVEN_BITS | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field; all of ours hold text or messages."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        if key & 7 != _BYTES:
            raise Malformed(f"field {key >> 3} has wire type {key & 7}, not {_BYTES}")
        length, at = _read_varint(message, at)
        if at + length > len(message):
            raise Malformed(f"field {key >> 3} ends after the message")
        yield key >> 3, message[at : at + length]
        at += length


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & _SEVEN_BITS) << shift
        shift, at = shift + 7, at + 1
        if byte <= _SEVEN_BITS:
            return value, at
    raise Malformed("the message ends inside a number")
