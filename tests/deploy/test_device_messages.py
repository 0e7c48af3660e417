"""Device plugin messages: bytes against the protocol's definition, and against cut ones."""

import contextlib
import random

import pytest

from deploy.local import device_messages


def test_registration_on_the_wire() -> None:
    assert device_messages.registration("p.sock", "nvidia.com/gpu") == (
        b"\x0a\x07v1beta1\x12\x06p.sock\x1a\x0envidia.com/gpu"
    )


def test_devices_on_the_wire() -> None:
    assert device_messages.device_list(["GPU-0", "GPU-1"]) == (
        b"\x0a\x10\x0a\x05GPU-0\x12\x07Healthy\x0a\x10\x0a\x05GPU-1\x12\x07Healthy"
    )


def test_no_devices_are_an_empty_message() -> None:
    assert device_messages.device_list([]) == b""


def test_requests_are_read_per_container() -> None:
    request = b"\x0a\x0e\x0a\x05GPU-0\x0a\x05GPU-1\x0a\x07\x0a\x05GPU-2"
    assert device_messages.requested_devices(request) == [["GPU-0", "GPU-1"], ["GPU-2"]]


def test_allocation_on_the_wire() -> None:
    assert device_messages.allocation([{"K": "V"}], {"/in": "/out"}) == (
        b"\x0a\x17"  # one container, 23 bytes
        b"\x0a\x06\x0a\x01K\x12\x01V"  # its environment
        b"\x12\x0d\x0a\x03/in\x12\x04/out\x18\x01"  # its mount, read-only
    )


def test_long_values_have_long_lengths() -> None:
    path = "/" + "x" * 300
    assert b"\x12\xad\x02" + path.encode() in device_messages.allocation([{"K": path}], {})


@pytest.mark.parametrize("seed", range(50))
def test_a_cut_or_changed_request_is_read_or_refused_never_else(seed: int) -> None:
    generator = random.Random(seed)
    request = bytearray(b"\x0a\x0e\x0a\x05GPU-0\x0a\x05GPU-1" * 3)
    request[generator.randrange(len(request))] = generator.randrange(256)
    del request[generator.randrange(len(request)) :]
    with contextlib.suppress(device_messages.Malformed):
        found = device_messages.requested_devices(bytes(request))
        assert sum(len(device) for ids in found for device in ids) <= len(request)


@pytest.mark.parametrize(
    ("request_bytes", "reason"),
    [
        (b"\x08\x01", "wire type 0"),
        (b"\x0a\x05ab", "ends after the message"),
        (b"\x0a\x80", "inside a number"),
        (b"\x0a\x03\x0a\x01\xff", "not UTF-8"),
    ],
    ids=["a number where a message belongs", "cut content", "cut length", "no text"],
)
def test_malformed_requests_are_refused(request_bytes: bytes, reason: str) -> None:
    with pytest.raises(device_messages.Malformed, match=reason):
        device_messages.requested_devices(request_bytes)
