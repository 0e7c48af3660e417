"""What became of purchases, on a clock of the test's own."""

from dataclasses import replace

from node_provisioner import lifecycle, offerings
from tests.node_provisioner import objects

_OFFER = offerings.Offer("Standard_NC6s_v3", "on-demand")
_WORKLOAD = "default/Deployment/chat"


def test_a_claim_counts_before_the_watch_shows_it_and_not_twice_after() -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view()
    past.created(claim, now=0.0)
    past.observe([], [], now=1.0)
    assert past.unseen() == (claim,)
    assert past.observe([claim], [], now=2.0) == ()
    assert past.unseen() == ()


def test_a_claim_that_the_watch_never_shows_is_refused_in_the_end() -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view()
    past.created(claim, now=0.0)
    assert past.observe([], [], now=9.9) == ()
    assert past.observe([], [], now=10.0) == (claim,)
    assert past.observe([], [], now=11.0) == ()


def test_a_refusal_bars_the_offer_and_makes_the_next_attempt() -> None:
    past = lifecycle.Lifecycle()
    assert past.observe([], [objects.claim_view()], now=0.0) == (objects.claim_view(),)
    known = past.past(["ws9"], now=14.9)
    assert (set(known.taken), set(known.barred)) == ({"ws9"}, {_OFFER})
    assert known.attempts == {_WORKLOAD: 1}
    assert past.because(_WORKLOAD).startswith("NodeClaim ws1 (Standard_NC6s_v3, on-demand)")
    assert past.past([], now=15.0).barred == frozenset()


def test_a_claim_is_refused_once_though_its_end_is_seen_twice() -> None:
    past = lifecycle.Lifecycle()
    ending = objects.claim_view(terminating=True)
    assert past.observe([ending], [], now=0.0) == (ending,)
    assert past.observe([ending], [], now=1.0) == ()
    assert past.observe([], [ending], now=2.0) == ()


def test_bars_double_while_refusals_follow_one_another() -> None:
    past = lifecycle.Lifecycle()
    now, pauses = 0.0, []
    for n in range(8):
        past.refuse(objects.claim_view(f"ws{n}"), now)
        (left,) = past.deadlines(now)
        pauses.append(left)
        now += left
    assert pauses == [15, 30, 60, 120, 240, 480, 600, 600]


def test_a_success_clears_the_record() -> None:
    past = lifecycle.Lifecycle()
    past.refuse(objects.claim_view("ws1"), 0.0)
    past.observe([objects.claim_view("ws2", initialized=True)], [], now=1.0)
    known = past.past([], now=1.0)
    assert (set(known.barred), dict(known.attempts)) == (set(), {})
    assert past.because(_WORKLOAD) == ""


def test_an_old_success_does_not_clear_a_new_refusal() -> None:
    past = lifecycle.Lifecycle()
    old = objects.claim_view("ws1", initialized=True)
    past.observe([old], [], now=0.0)
    past.refuse(objects.claim_view("ws2"), 1.0)
    past.observe([old], [], now=2.0)
    assert set(past.past([], now=2.0).barred) == {_OFFER}


def test_the_end_of_a_used_claim_is_no_refusal() -> None:
    past = lifecycle.Lifecycle()
    used = objects.claim_view(initialized=True)
    past.observe([used], [], now=0.0)
    unready = replace(used, initialized=False, terminating=True)
    assert past.observe([unready], [], now=1.0) == ()
    assert past.observe([], [unready], now=2.0) == ()


def test_what_we_release_is_no_refusal() -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view()
    past.released(claim)
    assert past.observe([], [claim], now=0.0) == ()


def test_a_foreign_name_stays_taken() -> None:
    past = lifecycle.Lifecycle()
    past.avoid_name("ws7")
    assert "ws7" in past.past([], now=0.0).taken
