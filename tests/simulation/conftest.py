"""A simulated cluster that a test leads through one fault case."""

from collections.abc import Callable, Iterator

import pytest

from presets import provision_spec
from tests.simulation import claims, cluster, rest, workloads

ONE = provision_spec.ProvisionSpec(("Standard_NC6s_v3",), 1)
CHAT = "default/chat"


class Case:
    """A cluster with one planner, which the test leads through its case."""

    def __init__(self) -> None:
        self.of = cluster.Cluster(seed=1)
        self.of.planners.start(0)

    def replicate(self, *, elected: bool) -> None:
        """Run two planners from the beginning, with a leader or without."""
        self.of.planners.stop(0)
        self.of.planners.elected = elected
        for number in (0, 1):
            self.of.planners.start(number)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.of.world.timeline.run(seconds)

    def until(self, met: Callable[[], object], step_seconds: float = 0.1) -> None:
        """Let time pass, by so much at a time, until it is so."""
        end = self.of.world.now + 1800.0
        while not met():
            assert self.of.world.now < end
            self.run(step_seconds)

    def serve(self, replicas: int = 1, spec: provision_spec.ProvisionSpec = ONE) -> None:
        """Apply Deployment `chat`."""
        self.of.workloads.create(workloads.Workload("default", "chat", spec, replicas))

    def stranger(self) -> None:
        """Apply a Deployment of one GPU that is not ours."""
        self.of.workloads.create(workloads.Workload("team-b", "s", ONE, 1, managed=False))

    @property
    def claims(self) -> list[claims.Claim]:
        """Those that are there."""
        return [claims.read(raw) for raw in self.of.world.memory.all("nodeclaims")]

    @property
    def bought(self) -> int:
        """Claims that were ever created."""
        return len(self.of.audit.creates)

    @property
    def running(self) -> int:
        """Pods that run."""
        pods = self.of.world.memory.all("pods")
        return sum(pod["status"]["phase"] == "Running" for pod in pods)

    def told(self) -> str:
        """Every message to pods."""
        return "\n".join(event["message"] for event in self.of.world.memory.all("events"))

    def fails(self, **mood: object) -> None:
        """Have new claims fare so from now on."""
        vars(self.of.cloud.mood).update(mood)


@pytest.fixture
def case() -> Iterator[Case]:
    """Afterwards everything works again, and the cluster must come to rest, twice."""
    made = Case()
    yield made
    made.of.stop_faults()
    for unfinished in (rest.unfinished, rest.left_over):
        for _ in range(120):
            made.run(60.0)
            if not (left := unfinished(made.of)):
                break
        assert not left
        made.of.workloads.delete(CHAT)
    for connection in made.of.planners.end():
        made.of.audit.judge_calls(connection.calls)
    assert made.of.audit.violations == []
