"""Tuning runs behind a real API server, by a webhook whose image can tune."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from presets import annotations
from tests.conftest import GOLDEN, Goldens
from tests.webhook.cluster import Cluster, Object, template
from tests.webhook.test_real_other_webhooks import lost

pytestmark = pytest.mark.controlplane

TUNING = sorted((GOLDEN / "expand").glob("tuning-*"))
JOB = """apiVersion: batch/v1
kind: Job
metadata:
  name: tune
  labels: {kaito.sh/preset: phi-3-mini-4k-instruct}
  annotations:
    kaito.sh/tuning-method: lora
    kaito.sh/tuning-input-urls: https://example.com/a.parquet
    kaito.sh/tuning-output-image: ghcr.io/org/sql:1
    kaito.sh/tuning-output-push-secret: registry-login
    kaito.sh/tuning-output-pvc: adapters
    kaito.sh/tuning-config: params
spec: {suspend: true}
"""


@pytest.fixture
def cluster(able: Cluster) -> Iterator[Cluster]:
    yield able
    able.clean()


def test_a_stored_run_is_left_alone_by_apply_and_by_removal_of_the_label(cluster: Cluster) -> None:
    """W13: never an immutable error, with three containers and seven volumes added."""
    cluster.apply(JOB)
    first = cluster.get("job/tune")
    assert [c["name"] for c in template(first)["spec"]["containers"]] == ["tune", "push"]
    assert cluster.apply(JOB) == "job.batch/tune unchanged\n"
    for _ in range(2):
        cluster.apply(JOB, "--server-side", "--force-conflicts")
    cluster.kubectl("diff", "-f", "-", stdin=JOB)
    cluster.kubectl("label", "job/tune", "team=ml")
    cluster.kubectl("label", "job/tune", f"{annotations.PRESET}-")
    found = cluster.get("job/tune")
    assert template(found) == template(first)
    for field in ("backoffLimit", "podFailurePolicy"):
        assert found["spec"][field] == first["spec"][field]


@pytest.mark.parametrize("case", TUNING, ids=lambda case: case.name)
def test_the_api_server_stores_every_field_of_every_golden_run(
    cluster: Cluster, case: Path, goldens: Goldens
) -> None:
    """W4, W5: the patch applies, decodes, passes validation, and nothing of it is lost."""
    body = yaml.safe_load(goldens.read(case / "in.yaml"))
    for field in ("uid", "namespace"):
        body["metadata"].pop(field, None)
    body.get("spec", {}).pop("selector", None)
    labels = template(body).get("metadata") if "template" in body.get("spec", {}) else None
    if labels:
        labels.pop("labels", None)
    stored = cluster.try_out(body)
    expected = yaml.safe_load(goldens.read(case / "out.yaml"))
    expected["spec"].pop("selector", None)
    for key in [k for k in template(expected)["metadata"]["labels"] if k.startswith("batch.")]:
        del template(expected)["metadata"]["labels"][key]
    assert lost(expected["spec"], stored["spec"]) == []


def test_pod_security_restricted_lets_the_pods_in(
    cluster: Cluster, strictly: Callable[[Object], str]
) -> None:
    stored = cluster.try_out(yaml.safe_load(JOB))
    assert strictly(template(stored)["spec"]) == ""
