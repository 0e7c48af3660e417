"""Pauses and windows, on a clock of the test's own."""

from kubeapi import pace


def test_pauses_double_to_their_limit_and_start_again_after_a_success() -> None:
    backoff = pace.Backoff(first_seconds=1, limit_seconds=5)
    assert [backoff.next_seconds() for _ in range(4)] == [1, 2, 4, 5]
    backoff.reset()
    assert backoff.next_seconds() == 1


def test_a_window_closes_when_changes_stop() -> None:
    window = pace.Window(0.0, idle_seconds=0.25, longest_seconds=2.0)
    assert window.left_seconds(0.0) == 0.25
    window.touch(0.5)
    assert window.left_seconds(0.5) == 0.25
    assert window.left_seconds(0.75) <= 0


def test_a_window_closes_though_changes_never_stop() -> None:
    window = pace.Window(0.0, idle_seconds=0.2, longest_seconds=2.0)
    for tenth in range(20):
        window.touch(tenth / 10)
    assert window.left_seconds(2.0) <= 0
