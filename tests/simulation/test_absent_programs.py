"""X3, X4: what goes on while a program of ours is away, and what it makes up for afterwards."""

from functools import partial
from random import Random

from controller import loop as controller
from controller import settings as controller_settings
from tests.simulation import cluster, memory, virtual_time, workloads
from tests.simulation.conftest import CHAT, ONE, Case


class _Nobody:
    """Sees what the controller writes, and objects to nothing."""

    def writes(self, *_: object) -> None:
        """Anything."""


def _start_controller(of: cluster.Cluster) -> virtual_time.Process:
    """The real workload controller, beside the planner."""
    process = virtual_time.Process(of.world.timeline, "controller")
    connection = memory.Connection(
        of.world.memory, of.world.timeline, process, of.faults, Random(1), _Nobody()
    )
    running = controller.Controller(connection, controller_settings.Settings(), process)
    process.start(partial(running.run, process.flag()))
    return process


def test_x4_without_a_controller_workloads_run_and_services_catch_up(case: Case) -> None:
    case.serve()
    case.run(300.0)
    services = partial(case.of.world.memory.get, "services")
    assert (case.running, services(CHAT)) == (1, None)
    process = _start_controller(case.of)
    case.run(5.0)
    assert services(CHAT)
    process.kill()
    case.of.workloads.delete(CHAT)
    case.of.workloads.create(workloads.Workload("default", "other", ONE, 1))
    case.run(300.0)
    assert (case.running, services("default/other")) == (1, None)
    process = _start_controller(case.of)
    case.run(5.0)
    assert services("default/other")
    assert not services(CHAT)
    process.kill()
    case.of.workloads.delete("default/other")


def test_x3_without_a_planner_what_runs_goes_on_and_free_gpus_are_used(case: Case) -> None:
    case.serve()
    case.run(300.0)
    before = {pod["metadata"]["uid"] for pod in case.of.world.memory.all("pods")}
    case.of.planners.stop(0)
    case.of.fleet.add_own("own", "Standard_NC6s_v3", 1)
    case.stranger()
    case.run(7200.0)
    assert case.running == 2
    assert before < {pod["metadata"]["uid"] for pod in case.of.world.memory.all("pods")}
    case.of.workloads.scale(CHAT, 3)
    case.run(600.0)
    assert case.bought == 1
    case.of.planners.start(0)
    case.run(300.0)
    assert (case.bought, case.running) == (3, 4)
    case.of.workloads.delete("team-b/s")
