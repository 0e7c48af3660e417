"""What became of purchases, on a clock of the test's own."""

from dataclasses import replace

import pytest

from node_provisioner import lifecycle, offerings, refusals, views
from tests.node_provisioner import objects

_OFFER = offerings.Offer("Standard_NC6s_v3", "on-demand")
_WORKLOAD = "default/Deployment/chat"
_REFUSAL = refusals.of("no capacity")


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


def test_a_claim_that_is_there_counts_however_late_the_watch_is() -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view()
    past.created(claim, now=0.0)
    assert past.overdue(9.9, ()) == ()
    assert past.overdue(10.0, {claim.uid}) == (), "the watch shows it just now"
    assert past.overdue(10.0, ()) == (claim,)
    past.created(claim, now=10.0)
    assert past.observe([], [], now=19.9) == ()
    assert past.unseen() == (claim,)


def test_a_refusal_bars_the_offer_for_three_minutes_and_makes_the_next_attempt() -> None:
    past = lifecycle.Lifecycle()
    (ended,) = past.observe([], [objects.claim_view()], now=0.0)
    past.refuse(ended, refusals.of("InsufficientInstanceCapacity"), 0.0)
    known = past.past(["ws9"], now=179.9)
    assert (set(known.taken), set(known.barred)) == ({"ws9"}, {_OFFER})
    assert known.attempts == {_WORKLOAD: 1}
    assert past.because(_WORKLOAD).startswith("NodeClaim ws1 (Standard_NC6s_v3, on-demand)")
    after = past.past([], now=180.0)
    assert (dict(after.barred), set(after.probed)) == ({}, {_OFFER})


@pytest.mark.parametrize(
    ("words", "barred"),
    [
        ("ZonalAllocationFailed", offerings.Offer("t", "spot", "z1")),
        ("QuotaExceeded", offerings.Offer("t", "spot")),
        ("SkuNotAvailable", offerings.Offer("t", "")),
        ("something new", offerings.Offer("t", "spot", "z1")),
    ],
)
def test_how_much_is_barred_follows_from_what_was_said(words: str, barred: offerings.Offer) -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view(offer=offerings.Offer("t", "spot", "z1"))
    past.refuse(claim, refusals.of(words), 0.0)
    assert set(past.past([], 0.0).barred) == {barred}


def _silence(past: lifecycle.Lifecycle, claim: views.ClaimView, now: float) -> bool:
    (ended,) = past.observe([], [claim], now)
    return past.refuse(ended, refusals.of(""), now)


def test_an_offer_whose_claims_go_without_a_word_is_left_alone_for_a_moment() -> None:
    """Somebody deleted them by hand, or their provider did: nobody says that it has none."""
    past = lifecycle.Lifecycle()
    now, pauses = 0.0, []
    for n in range(6):
        assert not _silence(past, objects.claim_view(f"ws{n}"), now)
        left = max(past.deadlines(now))
        pauses.append(left)
        now += left
        for claim in past.unexplained(now):
            assert past.refuse(claim, refusals.of(""), now), "then it is told"
    assert pauses == [2, 4, 8, 16, 300, 600]
    assert past.past([], now).attempts == {_WORKLOAD: 6}
    past.observe([objects.claim_view("ws9", launched=True)], [], now)
    assert not past.past([], now).probed


def test_a_claim_that_is_taken_from_its_machine_bars_nothing() -> None:
    """Deleted by hand: its offer could be had. Not without end, as machines cost."""
    past = lifecycle.Lifecycle()
    taken = [objects.claim_view(f"ws{n}", launched=True) for n in range(4)]
    for now, claim in enumerate(taken):
        past.observe([claim], [], float(now))
        _silence(past, claim, float(now))
        barred = dict(past.past([], float(now)).barred)
        assert barred == ({} if now < 3 else {_OFFER: "no reason was given"})
    assert past.past([], 3.0).attempts == {_WORKLOAD: 4}


def test_words_that_come_after_the_end_of_a_claim_still_count() -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view()
    assert not _silence(past, claim, 0.0)
    assert past.unexplained(1.9) == ()
    (again,) = past.unexplained(2.0)
    assert past.refuse(again, refusals.of("InsufficientCapacityError"), 2.0)
    known = past.past([], 181.9)
    assert (set(known.barred), known.attempts) == ({_OFFER}, {_WORKLOAD: 1})
    assert past.unexplained(200.0) == ()


def test_a_claim_that_another_planner_gave_back_is_not_asked_about_again() -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view()
    _silence(past, claim, 0.0)
    past.forgive(claim)
    assert past.unexplained(2.0) == ()


def test_a_machine_counts_as_given_up_by_its_provider_only_after_long() -> None:
    past = lifecycle.Lifecycle()
    claim = objects.claim_view(launched=True)
    past.observe([claim], [], 0.0)
    assert [past.ran(claim, now) for now in (599.0, 600.0)] == [False, True]
    assert not past.ran(objects.claim_view("other"), 9999.0)


def test_a_missing_node_class_stops_all_buying_for_a_while() -> None:
    """C4: the message names it, and attempts become rare."""
    past = lifecycle.Lifecycle()
    now, pauses = 0.0, []
    for n in range(9):
        words = 'ec2nodeclasses.karpenter.k8s.aws "default" not found'
        past.refuse(objects.claim_view(f"ws{n}"), refusals.of(words), now)
        known = past.past([], now)
        assert (dict(known.barred), known.careful) == ({}, False)
        assert known.pause is not None
        assert "node class is missing or not ready" in known.pause.sentence
        (left,) = past.deadlines(now)
        pauses.append(left)
        now += left
        assert past.past([], now).careful
    assert pauses == [2, 4, 8, 16, 300, 600, 1200, 1800, 1800]
    past.observe([objects.claim_view("ws9", launched=True)], [], now)
    assert past.past([], now).pause is None


def test_a_claim_is_refused_once_though_its_end_is_seen_twice() -> None:
    past = lifecycle.Lifecycle()
    ending = objects.claim_view(terminating=True)
    assert past.observe([ending], [], now=0.0) == (ending,)
    assert past.observe([ending], [], now=1.0) == ()
    assert past.observe([], [ending], now=2.0) == ()


def test_the_circuit_opens_after_refusals_in_a_row() -> None:
    past = lifecycle.Lifecycle()
    now, pauses = 0.0, []
    for n in range(7):
        for same in "ab":  # what is refused while it is barred counts once
            past.refuse(objects.claim_view(f"ws{n}{same}"), _REFUSAL, now)
        (left,) = past.deadlines(now)
        pauses.append(left)
        now += left
    assert pauses == [180, 180, 300, 600, 1200, 1800, 1800]


def test_a_success_clears_the_record() -> None:
    past = lifecycle.Lifecycle()
    past.refuse(objects.claim_view("ws1"), _REFUSAL, 0.0)
    past.observe([objects.claim_view("ws2", launched=True, initialized=True)], [], now=1.0)
    known = past.past([], now=1.0)
    assert (dict(known.barred), set(known.probed), dict(known.attempts)) == ({}, set(), {})
    assert past.because(_WORKLOAD) == ""


def test_an_old_success_does_not_clear_a_new_refusal() -> None:
    past = lifecycle.Lifecycle()
    old = objects.claim_view("ws1", launched=True, initialized=True)
    past.observe([old], [], now=0.0)
    past.refuse(objects.claim_view("ws2"), _REFUSAL, 1.0)
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
