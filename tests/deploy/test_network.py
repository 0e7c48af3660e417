"""Addresses of a cluster: disjoint, inside its /16, and never over a route of the host."""

import ipaddress
import itertools
import json

import pytest

from deploy.local import network
from deploy.local.failures import CannotRun


def test_every_part_lies_in_the_clusters_own_range_and_none_overlap() -> None:
    net = network.Network("demo", 99)
    whole = ipaddress.IPv4Network(net.cidr)
    parts = [
        ipaddress.IPv4Network(net.service_cidr),
        ipaddress.IPv4Network(f"{net.host_ip}/30", strict=False),
    ]
    for index in range(network.MACHINES + 1):
        parts.append(ipaddress.IPv4Network(net.machine_pods(index)))
        if index:
            parts.append(ipaddress.IPv4Network(f"{net.machine_gateway(index)}/30", strict=False))
    assert all(part.subnet_of(whole) for part in parts)
    ordered = sorted(parts)
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(ordered))


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([], 99),
        (["default"], 99),
        (["10.99.0.0/16"], 100),
        (["10.99.5.0/24", "10.100.0.0/14"], 104),
        (["10.99.0.2"], 100),
    ],
)
def test_the_first_free_range_is_taken(
    monkeypatch: pytest.MonkeyPatch, routes: list[str], expected: int
) -> None:
    answer = json.dumps([{"dst": route} for route in routes])
    monkeypatch.setattr(network, "_ip", lambda *_: answer)
    assert network.free_octet() == expected


def test_no_free_range_says_which_were_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_ip", lambda *_: json.dumps([{"dst": "10.0.0.0/8"}]))
    with pytest.raises(CannotRun, match=r"every network from 10\.99\.0\.0/16 to 10\.126\.0\.0/16"):
        network.free_octet()
