"""Models over several machines behind a real API server, by a webhook whose image serves so."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from presets import annotations
from presets.runtime_args import nodes
from tests.apiserver import until
from tests.conftest import GOLDEN, Goldens
from tests.webhook.cluster import Cluster, Object, template
from tests.webhook.test_real_other_webhooks import lost

pytestmark = pytest.mark.controlplane

GOLDENS = sorted((GOLDEN / "expand").glob("nodes-*"))
BIG = """apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: big
  labels: {kaito.sh/preset: deepseek-r1-0528}
  annotations: {kaito.sh/instance-types: Standard_ND96isr_H100_v5}
"""


@pytest.fixture
def cluster(able: Cluster) -> Iterator[Cluster]:
    yield able
    able.clean()


def test_a_stored_one_is_left_alone_by_every_way_to_apply_it(cluster: Cluster) -> None:
    """W7, W8: never an immutable error, and the number of pods stays that of the machines."""
    cluster.apply(BIG)
    first = cluster.settled("statefulset/big")
    filled = {key: first["spec"][key] for key in ("replicas", "podManagementPolicy", "serviceName")}
    assert list(filled.values()) == [2, "Parallel", "big-headless"]
    assert cluster.apply(BIG) == "statefulset.apps/big unchanged\n"
    for _ in range(2):
        cluster.apply(BIG, "--server-side", "--force-conflicts")
    cluster.kubectl("diff", "-f", "-", stdin=BIG)
    cluster.kubectl("replace", "-f", "-", stdin=BIG)
    cluster.kubectl("scale", "statefulset/big", "--replicas=0")
    cluster.kubectl("label", "statefulset/big", "team=ml")
    found = cluster.get("statefulset/big")
    assert found["spec"] == {**first["spec"], "replicas": 0}
    assert found["metadata"]["generation"] == first["metadata"]["generation"] + 1


def test_without_the_label_what_cannot_change_stays(cluster: Cluster) -> None:
    """W12."""
    cluster.apply(BIG)
    own = {"containers": [{"name": "model", "image": "own:1"}]}
    body = {**yaml.safe_load(BIG), "spec": {"template": {"spec": own}}}
    body["spec"]["selector"] = cluster.get("statefulset/big")["spec"]["selector"]
    template(body)["metadata"] = {"labels": body["spec"]["selector"]["matchLabels"]}
    del body["metadata"]["labels"]
    cluster.apply(body)
    freed = cluster.get("statefulset/big")["spec"]
    assert (freed["replicas"], freed["podManagementPolicy"]) == (1, "Parallel")
    assert "env" not in template({"spec": freed})["spec"]["containers"][0]


def test_its_pods_are_all_made_at_once_each_with_its_rank(cluster: Cluster) -> None:
    """By the real controller; behind our gate, so that no machine is bought for one alone."""
    cluster.apply(BIG)

    def made() -> list[Object]:
        pods: list[Object] = cluster.api.get(cluster.path("pod"))["items"]
        return pods if len(pods) == 2 else []

    pods = until(made, 20.0)
    labels = [pod["metadata"]["labels"][nodes.INDEX_LABEL] for pod in pods]
    assert sorted(labels) == ["0", "1"]
    for pod in pods:
        assert pod["spec"]["schedulingGates"] == [{"name": annotations.GATE}]
        assert pod["spec"]["subdomain"] == "big-headless"
    assert sorted(pod["spec"]["hostname"] for pod in pods) == ["big-0", "big-1"]


@pytest.mark.parametrize("case", GOLDENS, ids=lambda case: case.name)
def test_the_api_server_stores_every_field_of_every_golden_one(
    cluster: Cluster, case: Path, goldens: Goldens
) -> None:
    """W4, W5."""
    body = yaml.safe_load(goldens.read(case / "in.yaml"))
    body["metadata"].pop("namespace", None)
    stored = cluster.try_out(body)
    expected = yaml.safe_load(goldens.read(case / "out.yaml"))
    assert lost(expected["spec"], stored["spec"]) == []


def test_pod_security_restricted_lets_the_pods_in(
    cluster: Cluster, strictly: Callable[[Object], str]
) -> None:
    stored = cluster.try_out(yaml.safe_load(BIG))
    assert strictly(template(stored)["spec"]) == ""
