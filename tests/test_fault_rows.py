"""Every row of the fault cases of planner, claims, machines and the whole has its tests.

P: the planner. C: claims and who serves them. L: the machines of the local cluster. X: the whole.
Or it says why it has none. The extender's rows, E, stand in docs/concepts/placement.md. A test
stands at its level: pure functions and the API server in memory here, hours and restarts in
tests/simulation, real schedulers and API servers under the markers `controlplane` and `karpenter`,
real machines under `e2e`.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
_LOOP, _PLAN, _LIFE, _REFUSED, _GATES, _GIVING, _DIALECTS = (
    f"node_provisioner/test_{name}.py"
    for name in (
        "loop",
        "plan",
        "lifecycle",
        "loop_refusals",
        "loop_gates",
        "loop_giving",
        "dialects",
    )
)
_SIM = "simulation/test_fault_cases.py"
_AWAY = "simulation/test_absent_programs.py"
_MACHINES = "e2e/test_machines.py"
_CONTROLLER = "controller/test_real_control_plane.py"
_REAL = "node_provisioner/test_real_control_plane.py"

ROWS: dict[str, tuple[tuple[str, str], ...]] = {
    "P1": (
        (_SIM, "test_p1_a_crash_after_any_write_buys_nothing_twice"),
        (_LOOP, "test_a_claim_whose_answer_was_lost_is_adopted"),
        (_REAL, "test_killed_at_any_moment_it_buys_once"),
    ),
    "P2": (
        (_SIM, "test_p2_two_planners_at_once_buy_once"),
        (_LOOP, "test_two_planners_at_once_buy_once"),
        (_LOOP, "test_of_two_planners_with_a_lease_one_acts"),
        (_REAL, "test_a_planner_that_stood_still_finds_another_leading"),
        (
            "kubeapi/test_leases.py",
            "test_a_holder_that_is_paused_stops_before_another_takes_over",
        ),
    ),
    "P3": ((_LOOP, "test_whatever_happens_to_its_watches_it_decides_the_same"),),
    "P4": ((_SIM, "test_p4_late_watches_make_nothing_double"),),
    "P5": (
        (_LOOP, "test_a_name_that_belongs_to_something_else_is_passed_over"),
        (_LOOP, "test_a_claim_whose_answer_was_lost_is_adopted"),
    ),
    "P6": (
        (_PLAN, "test_two_hundred_replicas_buy_exactly_as_many_nodes_as_they_fill"),
        (_SIM, "test_p6_many_replicas_share_nodes_exactly"),
    ),
    "P7": ((_SIM, "test_p7_a_rollout_buys_no_more_than_its_surge"),),
    "P8": (
        (_GIVING, "test_claims_that_a_smaller_workload_does_not_need_go_before_their_nodes_come"),
        (_SIM, "test_p8_scaling_down_while_claims_launch_gives_the_superfluous_back"),
    ),
    "P9": (
        (_GIVING, "test_a_claim_whose_workload_went_before_its_node_came_is_given_back"),
        (_SIM, "test_p9_deleting_the_workload_while_its_claim_launches_leaves_nothing"),
    ),
    "P10": ((_SIM, "test_p10_pods_that_are_deleted_again_and_again_need_one_claim"),),
    "P11": ((_SIM, "test_p11_a_gpu_that_a_stranger_took_is_bought_again"),),
    "P12": (
        (_PLAN, "test_a_users_own_node_is_used_before_any_is_bought_and_mixed_with_bought_ones"),
        (_GATES, "test_a_gated_pod_uses_a_node_that_is_there"),
    ),
    "P13": (
        (_REFUSED, "test_a_failing_create_is_tried_again_with_pauses"),
        (_SIM, "test_p13_a_storm_of_errors_loses_and_doubles_nothing"),
    ),
    "P14": ((_SIM, "test_p14_a_clock_that_jumps_gives_nothing_back_early"),),
    "P15": ((_SIM, "test_p15_a_namespace_that_ends_gets_nothing_and_leaves_nothing"),),
    "P16": (
        (_PLAN, "test_each_limit_counts_what_exists_and_says_so"),
        (_PLAN, "test_the_limit_stops_buying_and_says_so"),
    ),
    "P17": (
        ("controller/test_gates.py", "test_a_planner_that_falls_silent_no_longer_holds_pods"),
        (_REAL, "test_a_gang_starts_together_and_a_dead_planner_does_not_hold_it"),
    ),
    "P18": (
        (_LOOP, "test_a_node_that_joins_is_not_bought_again_at_any_step"),
        (_SIM, "test_p18_a_ready_node_without_its_gpu_is_still_awaited"),
    ),
    "P19": ((_SIM, "test_p19_pods_that_wait_for_the_extender_are_no_demand"),),
    "P20": (),
    "P21": (
        (_LIFE, "test_the_circuit_opens_after_refusals_in_a_row"),
        (_REFUSED, "test_when_claims_cannot_be_created_at_all_the_pods_are_told"),
    ),
    "P22": (
        (_GIVING, "test_demand_that_returns_while_a_node_is_closed_opens_it_again"),
        (_GIVING, "test_a_pod_that_came_before_the_node_was_closed_keeps_it"),
        (_SIM, "test_p22_demand_that_returns_while_its_node_is_given_back_is_served"),
    ),
    "C1": (
        (_PLAN, "test_the_first_offer_that_is_not_barred_is_bought"),
        (_LIFE, "test_a_refusal_bars_the_offer_for_three_minutes_and_makes_the_next_attempt"),
        (_REFUSED, "test_words_that_come_after_a_claim_went_are_asked_for_once_more"),
        (_SIM, "test_c1_c3_what_cannot_be_had_is_followed_by_the_next_type"),
    ),
    "C2": ((_SIM, "test_c2_when_nothing_can_be_had_the_pod_is_told_and_nothing_spins"),),
    "C3": (
        ("node_provisioner/test_refusals.py", "test_a_refusal_is_known_by_its_words"),
        (_REFUSED, "test_a_claim_whose_provider_says_that_it_is_hopeless_is_not_waited_for"),
    ),
    "C4": (
        (_LIFE, "test_a_missing_node_class_stops_all_buying_for_a_while"),
        (_SIM, "test_c4_a_missing_node_class_is_not_asked_for_endlessly"),
    ),
    "C5": ((_SIM, "test_c5_a_node_that_never_appears_is_replaced_after_the_providers_limit"),),
    "C6": (
        (_GIVING, "test_a_node_that_never_becomes_usable_is_replaced"),
        (_SIM, "test_c6_what_nobody_gives_up_is_given_up_by_us"),
    ),
    "C7": (
        (_REFUSED, "test_an_operation_that_is_under_way_is_waited_for"),
        (_SIM, "test_c7_a_provider_that_restarts_at_any_step_finishes_what_it_began"),
    ),
    "C8": (
        (_REFUSED, "test_a_missing_crd_is_waited_for"),
        (_REFUSED, "test_a_list_that_cannot_be_read_is_told_to_the_pods_that_wait"),
    ),
    "C9": (
        (_SIM, "test_c9_a_machine_that_is_taken_away_is_replaced"),
        (_SIM, "test_c9_a_machine_that_falls_silent_is_replaced_and_given_back"),
    ),
    "C10": (
        (_GIVING, "test_a_node_whose_claim_is_gone_is_told"),
        (_SIM, "test_c10_a_machine_that_its_provider_forgot_confuses_nobody"),
    ),
    "C11": (
        (_GIVING, "test_a_claim_that_does_not_go_is_told_and_does_not_make_a_storm"),
        (_SIM, "test_c11_a_finalizer_that_stays_causes_no_storm"),
    ),
    "C12": ((_SIM, "test_c12_a_node_that_flaps_is_not_bought_again"),),
    "C13": (
        ("node_provisioner/test_pacing.py", "test_a_bucket_holds_its_capacity_and_refills"),
        (_PLAN, "test_an_offer_that_was_refused_before_is_tried_with_one_claim_at_a_time"),
    ),
    "C14": (
        (
            _DIALECTS,
            "test_whatever_is_bought_a_claim_is_one_that_its_provider_takes",
        ),
    ),
    "C15": (
        (
            "webhook/test_providers.py",
            "test_what_a_provider_does_not_read_may_not_be_asked_of_it",
        ),
    ),
    "C16": (
        (
            _DIALECTS,
            "test_whatever_is_bought_a_claim_is_one_that_its_provider_takes",
        ),
    ),
    "C17": ((_GIVING, "test_a_claim_is_never_changed"),),
    "C18": (
        (
            _DIALECTS,
            "test_whatever_is_bought_a_claim_is_one_that_its_provider_takes",
        ),
    ),
    "C19": (
        (_GIVING, "test_a_node_is_closed_and_looked_at_again_before_it_is_given_back"),
        (
            "node_provisioner/test_draining.py",
            "test_a_node_is_given_back_only_when_its_last_pod_has_ended",
        ),
    ),
    "L1": (
        ("e2e/test_kills.py", "test_killed_program_delays_and_does_not_prevent"),
        ("e2e/test_traces.py", "test_up_clears_what_a_killed_run_left"),
        ("e2e/test_traces.py", "test_an_interrupted_up_leaves_nothing"),
    ),
    "L2": (
        (_MACHINES, "test_a_program_of_a_machine_that_is_killed_takes_nothing_from_its_pods"),
        ("deploy/test_device_plugin.py", "test_it_registers_its_resource"),
    ),
    "L3": (
        (_MACHINES, "test_a_program_of_a_machine_that_is_killed_takes_nothing_from_its_pods"),
        (
            "deploy/test_device_plugin.py",
            "test_it_registers_again_with_a_kubelet_that_started_anew",
        ),
    ),
    "L4": (
        (_MACHINES, "test_a_machine_that_is_taken_from_running_pods_leaves_nothing"),
        ("e2e/test_traces.py", "test_down_leaves_nothing_of_a_cluster"),
    ),
    "L5": ((_MACHINES, "test_a_machine_that_is_taken_from_running_pods_leaves_nothing"),),
    "L6": (
        (
            "deploy/test_golang.py",
            "test_without_any_go_the_hint_names_what_helps_with_this_program",
        ),
        ("deploy/test_golang.py", "test_karpenter_without_its_sources_is_told_in_words"),
    ),
    "X1": (
        ("simulation/test_seeds.py", "test_the_invariants_hold_whatever_happens"),
        (
            "node_provisioner/test_chaos.py",
            "test_whatever_is_killed_when_the_invariants_hold_at_rest",
        ),
    ),
    "X2": (
        (_CONTROLLER, "test_after_an_uninstallation_pods_run_on_and_the_service_goes"),
        ("webhook/test_real_verbs.py", "test_replace_keeps_the_revision_that_was_stored"),
        (_AWAY, "test_x3_without_a_planner_what_runs_goes_on_and_free_gpus_are_used"),
    ),
    "X3": ((_AWAY, "test_x3_without_a_planner_what_runs_goes_on_and_free_gpus_are_used"),),
    "X4": ((_AWAY, "test_x4_without_a_controller_workloads_run_and_services_catch_up"),),
    "X5": (
        (_CONTROLLER, "test_a_users_own_service_wins"),
        ("controller/test_loop.py", "test_a_users_service_wins_and_the_workload_is_told_once"),
        ("controller/test_loop.py", "test_none_means_no_service_and_takes_one_back"),
    ),
}

ABSENT = {
    "P20": "times are figures and decide no test: `python -m bench placement`",
}


def test_every_row_has_a_test_or_a_reason() -> None:
    last = {"P": 22, "C": 19, "L": 6, "X": 5}
    numbered = {f"{letter}{n}" for letter in last for n in range(1, last[letter] + 1)}
    assert ROWS.keys() == numbered
    assert {row for row, tests in ROWS.items() if not tests} == ABSENT.keys()


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_are_there(row: str) -> None:
    for file, name in ROWS[row]:
        text = (TESTS / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\w*\(", text, re.MULTILINE), f"{file}: {name}"
