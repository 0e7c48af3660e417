"""Who leads, on a clock of the tests' own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from kubeapi import api, host, leases
from kubeapi.client import Client
from tests import apiserver

_LEASE = ("plainsail-system", "planner")


@dataclass
class _Clock:
    """A host whose time stands still until it is moved."""

    seconds: float = 1000.0
    real: host.Host = field(default_factory=lambda: host.REAL)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def flag(self) -> host.Flag:
        return self.real.flag()

    def start(self, work: object) -> None:
        raise AssertionError(work)

    def each(
        self, work: Callable[[host.T], host.R], items: Sequence[host.T], *, at_once: int
    ) -> list[host.R]:
        raise AssertionError(work, items, at_once)


def _election(client: Client, clock: _Clock, identity: str) -> leases.Election:
    return leases.Election(client, _LEASE, identity, lambda: None, clock)


def test_the_first_leads_and_the_second_waits(client: Client) -> None:
    clock = _Clock()
    one, two = _election(client, clock, "one"), _election(client, clock, "two")
    assert (one.leads, two.leads) == (False, False)
    one._try()
    two._try()
    assert (one.leads, two.leads) == (True, False)


def test_a_holder_that_renews_keeps_the_lease_for_ever(client: Client) -> None:
    clock = _Clock()
    one, two = _election(client, clock, "one"), _election(client, clock, "two")
    for _ in range(30):
        one._try()
        two._try()
        assert (one.leads, two.leads) == (True, False)
        clock.seconds += leases.RETRY_SECONDS


def test_a_holder_that_is_paused_stops_before_another_takes_over(client: Client) -> None:
    """Between the two nobody leads; never do both."""
    clock = _Clock()
    one, two = _election(client, clock, "one"), _election(client, clock, "two")
    one._try()
    begun = clock.seconds
    led: list[tuple[bool, bool]] = []
    while not two.leads:
        two._try()
        led.append((one.leads, two.leads))
        clock.seconds += 1.0
    assert clock.seconds - begun <= leases.LEASE_SECONDS + 2.0
    assert (True, True) not in led
    assert (False, False) in led
    one._try()
    assert not one.leads


def test_a_lease_that_is_let_go_is_taken_at_once(client: Client) -> None:
    clock = _Clock()
    one, two = _election(client, clock, "one"), _election(client, clock, "two")
    one._try()
    two._try()
    one.release()
    two._try()
    assert (one.leads, two.leads) == (False, True)


def test_a_lease_that_cannot_be_let_go_runs_out(
    client: Client, server: apiserver.ApiServer
) -> None:
    one = _election(client, _Clock(), "one")
    one._try()
    server.failures.append(500)
    one.release()
    assert not one.leads


def test_a_process_that_comes_back_under_its_name_leads_at_once(client: Client) -> None:
    clock = _Clock()
    _election(client, clock, "one")._try()
    again = _election(client, clock, "one")
    again._try()
    assert again.leads


def test_of_two_that_find_it_free_one_gets_it(client: Client, server: apiserver.ApiServer) -> None:
    clock = _Clock()
    old, one, two = (_election(client, clock, name) for name in ("old", "one", "two"))
    old._try()
    one._try()
    two._try()
    clock.seconds += leases.LEASE_SECONDS
    seen = two._seen.version
    one._try()
    two._seen.version = seen
    with pytest.raises(api.Conflict):
        two._write(two._spec())
    assert server.all("leases")[0]["spec"]["holderIdentity"] == "one"


def test_an_api_server_that_is_away_ends_the_lead(
    client: Client, server: apiserver.ApiServer
) -> None:
    clock = _Clock()
    one = _election(client, clock, "one")
    one._try()
    server.failures.append(500)
    clock.seconds += leases.RENEW_SECONDS
    with pytest.raises(api.Unavailable):
        one._try()
    assert not one.leads


class _Script:
    """A stop flag: at every wait the next of these happens, and time passes; then it is set."""

    def __init__(self, clock: _Clock, acts: list[Callable[[], object]]) -> None:
        self._clock = clock
        self._acts = acts

    def is_set(self) -> bool:
        return not self._acts

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.seconds += timeout or 0.0
        self._acts.pop(0)()
        return self.is_set()

    def set(self) -> None: ...

    def clear(self) -> None: ...


def test_it_is_told_when_its_lead_begins_and_when_it_ends(
    client: Client, server: apiserver.ApiServer
) -> None:
    """So that who no longer leads stops telling what it last saw, though nothing changes."""
    clock, told = _Clock(), list[bool]()
    one = leases.Election(client, _LEASE, "one", lambda: told.append(one.leads), clock)

    def outage() -> None:
        server.failures.append(500)
        clock.seconds += leases.RENEW_SECONDS

    one.run(_Script(clock, [lambda: None, outage, lambda: None, lambda: None]))
    assert told == [True, False, True]
