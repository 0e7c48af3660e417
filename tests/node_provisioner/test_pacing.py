"""Rates and ages, on a clock of the test's own."""

from node_provisioner import ages, freshness, rate, views
from tests.node_provisioner import objects


def test_a_bucket_holds_its_capacity_and_refills() -> None:
    bucket = rate.TokenBucket(capacity=2, per_second=1, now=0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1.0) for _ in range(2)] == [True, False]
    assert [bucket.take(100.0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_jumps_back_gives_no_tokens() -> None:
    bucket = rate.TokenBucket(capacity=1, per_second=1, now=100.0)
    assert [bucket.take(100.0), bucket.take(0.0), bucket.take(0.5)] == [True, False, False]


def test_a_key_ages_while_its_value_stays() -> None:
    known = ages.Ages()
    known.update({"a": 1, "b": 1}, 0.0)
    known.update({"a": 1, "b": 2}, 5.0)
    assert list(known.older(5.0, 5.0)) == ["a"]
    assert dict(known.younger(5.0, 6.0)) == {"b": 4.0}
    known.update({"b": 2}, 7.0)
    known.update({"a": 1, "b": 2}, 8.0)
    assert dict(known.younger(5.0, 8.0)) == {"a": 5.0, "b": 2.0}


def test_a_restarted_key_ages_from_now() -> None:
    known = ages.Ages()
    known.update({"a": 1}, 0.0)
    known.restart("a", 9.0)
    known.restart("unknown", 9.0)
    assert dict(known.younger(5.0, 10.0)) == {"a": 4.0}


def test_a_node_is_fresh_for_a_while_after_it_changed() -> None:
    known = freshness.Freshness()
    known.update([], [objects.node_view("n1", ready=False)], [], 0.0)
    known.update([], [objects.node_view("n1")], [], 20.0)
    assert known.keys(49.0) == {"n1"}
    assert known.keys(50.0) == frozenset()


def test_a_device_that_is_freed_makes_its_node_fresh_and_one_that_is_taken_does_not() -> None:
    node, holder = objects.node_view("n1"), views.pod(objects.bound("a", "n1"))
    assert holder is not None
    known = freshness.Freshness()
    known.update([], [node], [], 0.0)
    known.update([holder], [node], [], 100.0)
    assert known.keys(100.0) == frozenset()
    known.update([], [node], [], 200.0)
    assert known.keys(200.0) == {"n1"}


def test_a_pod_that_ends_makes_its_node_fresh_for_as_long_as_that_may_take() -> None:
    stamp: dict[str, object] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    node, ending = objects.node_view("n1"), views.pod(objects.bound("a", "n1", metadata=stamp))
    assert ending is not None
    known = freshness.Freshness()
    known.update([], [node], [], 0.0)
    known.update([ending], [node], [], 100.0)
    assert known.keys(144.0) == {"n1", ending.uid}
    assert list(known.deadlines(144.0)) == [1.0]
    assert known.keys(145.0) == frozenset()
    known.update([ending], [objects.node_view("n1", ready=False)], [], 100.0)
    assert known.keys(140.0) == frozenset(), "a silent kubelet ends nothing"
