"""Fault cases of the planner as a whole, each by name, with the real loop in virtual time.

Rows of the fault catalogue that need several parts or hours: P (planner), C (claims, providers).
What one function decides is tested beside that function; what needs a real scheduler, API server or
provider has the marker `controlplane`, `karpenter` or `e2e`. X (everything) is `test_seeds.py`, at
random, and `test_absent_programs.py`.
"""

from collections.abc import Callable
from functools import partial

import pytest

from presets import provision_spec
from tests.simulation import cloud, scheduling, workloads
from tests.simulation.conftest import CHAT, ONE, Case

_EITHER = provision_spec.ProvisionSpec(("Standard_NC6s_v3", "Standard_NC24ads_A100_v4"), 1)
_FOURTH = provision_spec.ProvisionSpec(("Standard_NC24s_v3",), 1)


# P: the planner.


@pytest.mark.parametrize("writes", range(6))
def test_p1_a_crash_after_any_write_buys_nothing_twice(case: Case, writes: int) -> None:
    """Three claims and three events: the process dies before it sees the answer to one of them."""
    case.of.planners.crash(0, writes, down_seconds=5.0)
    case.serve(3)
    case.run(300.0)
    assert (case.of.planners.starts, case.bought, case.running) == (2, 3, 3)


_ELECTED = pytest.mark.parametrize("elected", [True, False], ids=["elected", "unelected"])


@_ELECTED
def test_p2_two_planners_at_once_buy_once(case: Case, *, elected: bool) -> None:
    case.replicate(elected=elected)
    case.serve(5)
    case.run(300.0)
    assert (case.bought, case.running) == (5, 5)


@_ELECTED
@pytest.mark.parametrize(("bought", "told"), [(0, 0), (1, 0), (2, 0), (2, 1), (2, 3)])
def test_p2_a_planner_that_stood_still_finds_that_another_has_bought(
    case: Case, bought: int, told: int, *, elected: bool
) -> None:
    """It stops before, amid and after its purchases, for longer than its Lease holds."""
    case.replicate(elected=elected)
    case.run(60.0)
    case.serve(2)
    case.run(0.2)
    events = partial(case.of.world.memory.all, "events")
    case.until(lambda: (case.bought, len(events())) == (bought, told), step_seconds=0.002)
    for number in (0, 1):
        case.of.planners.running[number].process.pause(30.0 + 60.0 * number)
    case.run(300.0)
    assert (case.bought, case.running) == (2, 2)


@pytest.mark.parametrize("lag_seconds", [5.0, 30.0])
def test_p4_late_watches_make_nothing_double(case: Case, lag_seconds: float) -> None:
    case.of.faults.lag_seconds = lag_seconds
    case.serve(3)
    case.run(400.0)
    assert (case.bought, case.running) == (3, 3)


@pytest.mark.slow
def test_p6_many_replicas_share_nodes_exactly(case: Case) -> None:
    case.serve(200, _FOURTH)
    case.run(300.0)
    assert (case.bought, case.running) == (50, 200)


def test_p7_a_rollout_buys_no_more_than_its_surge(case: Case) -> None:
    case.serve(3)
    case.run(300.0)
    case.of.workloads.roll_out(CHAT)
    case.run(600.0)
    assert (case.bought <= 4, case.running) == (True, 3)


def test_p8_scaling_down_while_claims_launch_gives_the_superfluous_back(case: Case) -> None:
    case.serve(10)
    case.run(3.0)
    case.of.workloads.scale(CHAT, 1)
    case.run(900.0)
    assert (len(case.claims), case.bought, case.running) == (1, 10, 1)


def test_p9_deleting_the_workload_while_its_claim_launches_leaves_nothing(case: Case) -> None:
    case.serve()
    case.run(3.0)
    case.of.workloads.delete(CHAT)
    case.run(900.0)
    assert (case.claims, case.of.fleet.running()) == ([], [])


def test_p10_pods_that_are_deleted_again_and_again_need_one_claim(case: Case) -> None:
    case.serve()
    for _ in range(20):
        case.run(7.0)
        for pod in case.of.world.memory.all("pods"):
            scheduling.delete_pod(case.of.world, pod)
    case.run(300.0)
    assert (case.bought, case.running) == (1, 1)


def test_p11_a_gpu_that_a_stranger_took_is_bought_again(case: Case) -> None:
    case.serve()
    case.run(3.0)
    case.of.workloads.scale(CHAT, 0)
    case.stranger()
    case.run(200.0)
    case.of.workloads.scale(CHAT, 1)
    case.run(300.0)
    assert (case.bought, case.running) == (2, 2)
    case.of.workloads.delete("team-b/s")


def test_p13_a_storm_of_errors_loses_and_doubles_nothing(case: Case) -> None:
    case.of.faults.refused, case.of.faults.lost = 0.4, 0.2
    case.serve(4)
    case.run(600.0)
    assert (case.bought, case.running) == (4, 4)


@pytest.mark.parametrize("hours", [-24.0, 24.0])
def test_p14_a_clock_that_jumps_gives_nothing_back_early(case: Case, hours: float) -> None:
    case.serve()
    case.run(300.0)
    case.of.workloads.scale(CHAT, 0)
    case.run(300.0)
    case.of.planners.running[0].process.skew_seconds = hours * 3600.0
    case.run(250.0)
    assert len(case.claims) == 1
    case.run(120.0)
    assert case.claims == []


def test_p15_a_namespace_that_ends_gets_nothing_and_leaves_nothing(case: Case) -> None:
    case.serve(2)
    case.run(3.0)
    case.of.end_namespace("default")
    case.run(900.0)
    assert (case.claims, case.bought) == ([], 2)


def test_p18_a_ready_node_without_its_gpu_is_still_awaited(case: Case) -> None:
    case.fails(gpu_seconds=900.0)
    case.serve(3)
    case.run(1000.0)
    assert (case.bought, case.running) == (3, 3)


def test_p19_pods_that_wait_for_the_extender_are_no_demand(case: Case) -> None:
    case.of.fleet.add_own("own", "Standard_NC6s_v3", 1)
    case.run(60.0)
    case.of.scheduler.extender_down = True
    case.serve()
    case.run(300.0)
    assert case.bought == 0
    case.of.scheduler.extender_back()
    case.run(60.0)
    assert (case.bought, case.running) == (0, 1)


@pytest.mark.parametrize(
    ("seconds", "bought"), [(0.0, 1), (0.5, 1), (1.0, 1), (1.5, 2), (5.0, 2), (9.0, 2)]
)
def test_p22_demand_that_returns_while_its_node_is_given_back_is_served(
    case: Case, seconds: float, bought: int
) -> None:
    """From when the node is closed: it is opened again, unless its claim has been deleted."""
    case.serve()
    case.run(300.0)
    case.of.workloads.scale(CHAT, 0)
    case.until(lambda: case.of.world.memory.all("nodes")[0]["spec"].get("unschedulable"))
    case.run(seconds)
    case.of.workloads.scale(CHAT, 1)
    case.run(600.0)
    assert (case.bought, case.running) == (bought, 1)


def test_a_node_that_is_used_again_within_the_ttl_is_kept(case: Case) -> None:
    """Idle three times for most of the ten minutes, and for far longer in all."""
    case.serve()
    case.run(300.0)
    for _ in range(3):
        case.of.workloads.scale(CHAT, 0)
        case.run(560.0)
        case.of.workloads.scale(CHAT, 1)
        case.run(60.0)
        assert (case.bought, case.running) == (1, 1)


def test_a_gang_gets_nodes_for_all_before_any_pod_starts(case: Case) -> None:
    """Three pods of a Job behind our gate, of which one node is late by minutes."""
    job = workloads.Workload("default", "chat", ONE, 3, gated=True, runs_seconds=60.0)
    case.of.workloads.create(job)
    case.run(5.0)
    assert case.bought == 3
    while len(case.of.world.memory.all("nodes")) < 3:
        assert case.running == 0
        case.run(5.0)
    case.run(120.0)
    assert (case.bought, job.done) == (3, 3)


def test_a_late_watch_does_not_make_a_node_be_closed_again_and_again(case: Case) -> None:
    case.serve()
    case.run(300.0)
    case.of.faults.lag_seconds = 30.0
    case.of.workloads.scale(CHAT, 0)
    case.run(720.0)
    calls = case.of.planners.running[0].connection.calls
    patched = sum((call.method, call.path[:14]) == ("PATCH", "/api/v1/nodes/") for call in calls)
    assert (case.claims, 1 <= patched <= 5) == ([], True)


# C: claims and their providers.


@pytest.mark.parametrize("texts", [False, True], ids=["event", "condition"])
def test_c1_c3_what_cannot_be_had_is_followed_by_the_next_type(case: Case, *, texts: bool) -> None:
    case.fails(texts=texts)
    case.of.cloud.out_of.add(("Standard_NC6s_v3", "on-demand"))
    case.serve(2, _EITHER)
    case.run(900.0)
    assert [claim.offer[0] for claim in case.claims] == ["Standard_NC24ads_A100_v4"] * 2
    assert case.running == 2
    assert "attempt" in case.told()


def test_c2_when_nothing_can_be_had_the_pod_is_told_and_nothing_spins(case: Case) -> None:
    case.of.cloud.out_of.update((kind, "on-demand") for kind in cloud.GPUS)
    case.serve(2, _EITHER)
    case.run(3600.0)
    assert "every offer was refused" in case.told()
    assert 2 < case.bought < 60


def test_c4_a_missing_node_class_is_not_asked_for_endlessly(case: Case) -> None:
    case.fails(class_missing=True)
    case.serve()
    case.run(3600.0)
    assert 1 < case.bought < 60
    assert case.running == 0


def test_c5_a_node_that_never_appears_is_replaced_after_the_providers_limit(case: Case) -> None:
    case.fails(dud=1.0)
    case.serve()
    case.run(5.0)
    case.fails(dud=0.0)
    case.run(800.0)
    assert case.bought == 1
    case.run(600.0)
    assert (case.bought, case.running) == (2, 1)


@pytest.mark.parametrize("trouble", ["gpuless", "mute"])
def test_c6_what_nobody_gives_up_is_given_up_by_us(case: Case, trouble: str) -> None:
    """A GPU that never appears, a claim that its provider does not see: after 20 minutes."""
    case.fails(**{trouble: 1.0})
    case.serve()
    case.run(5.0)
    case.fails(**{trouble: 0.0})
    case.run(1150.0)
    assert case.bought == 1
    case.run(800.0)
    assert (case.bought, case.running) == (2, 1)


_STEPS: dict[str, Callable[[Case], object]] = {
    "created": lambda case: case.claims,
    "ordered": lambda case: case.of.bought(),
    "launched": lambda case: any(claim.launched for claim in case.claims),
    "registered": lambda case: any(claim.node for claim in case.claims),
    "initialized": lambda case: any(claim.initialized for claim in case.claims),
}


@pytest.mark.parametrize("step", _STEPS)
def test_c7_a_provider_that_restarts_at_any_step_finishes_what_it_began(
    case: Case, step: str
) -> None:
    case.serve()
    case.until(lambda: _STEPS[step](case), 0.05)
    case.of.cloud.up = False
    case.run(120.0)
    case.of.cloud.restart()
    case.run(300.0)
    assert (case.bought, case.running) == (1, 1)


def test_c9_a_machine_that_is_taken_away_is_replaced(case: Case) -> None:
    case.serve()
    case.run(300.0)
    case.of.fleet.end(case.of.bought()[0])
    case.run(600.0)
    assert (case.bought, case.running) == (2, 1)


def test_c9_a_machine_that_falls_silent_is_replaced_and_given_back(case: Case) -> None:
    case.serve()
    case.run(300.0)
    case.of.fleet.die(case.of.bought()[0])
    case.run(1800.0)
    assert (case.bought, case.running, len(case.claims)) == (2, 1, 1)


def test_c10_a_machine_that_its_provider_forgot_confuses_nobody(case: Case) -> None:
    """A claim deleted before its machine came: the machine has no claim, and is not ours to end."""
    case.fails(leak=1.0)
    case.serve()
    case.run(1.0)
    case.of.cloud.delete(case.of.world.memory.all("nodeclaims")[0])
    case.fails(leak=0.0)
    case.run(900.0)
    assert (case.bought, case.running) == (2, 1)


def test_c11_a_finalizer_that_stays_causes_no_storm(case: Case) -> None:
    case.serve(2)
    case.run(300.0)
    case.of.cloud.stuck = True
    for raw in case.of.world.memory.all("nodeclaims"):
        case.of.cloud.delete(raw)
    for pod in case.of.world.memory.all("pods"):
        scheduling.delete_pod(case.of.world, pod)
    case.run(3600.0)
    assert (case.bought, case.running) == (4, 2)


def test_c12_a_node_that_flaps_is_not_bought_again(case: Case) -> None:
    case.serve()
    case.run(300.0)
    for _ in range(20):
        case.of.fleet.flap(case.of.bought()[0], 20.0)
        case.run(40.0)
    assert (case.bought, case.running) == (1, 1)
