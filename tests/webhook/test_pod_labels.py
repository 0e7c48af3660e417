"""A label on the pod template alone, behind a real API server: the shipped conditions find it."""

import json
from typing import Any

import pytest
import yaml

from presets import annotations
from tests.webhook.cluster import IDLE, Cluster, template

pytestmark = pytest.mark.controlplane


def chart(*, label: bool = True, **pod: Any) -> str:
    """What a chart renders whose values reach the labels of its pods and no others."""
    out = yaml.safe_load(IDLE)
    del out["metadata"]["labels"]
    labels = {"app": "chart", **({annotations.PRESET: "tiny-chat"} if label else {})}
    out["spec"]["selector"] = {"matchLabels": {"app": "chart"}}
    container = {"name": "server", **pod}
    out["spec"]["template"] = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return json.dumps(out)


def test_a_chart_that_labels_its_pods_is_expanded_and_stays_so(cluster: Cluster) -> None:
    cluster.apply(chart())
    first = cluster.get("deployment/chat")
    (container,) = template(first)["spec"]["containers"]
    assert container["image"].startswith("ghcr.io/plainsail/runtime:")
    assert annotations.PRESET not in first["metadata"].get("labels", {})
    assert cluster.apply(chart()).endswith("unchanged\n")
    assert cluster.kubectl("diff", "-f", "-", stdin=chart()) == ""


def test_a_label_that_leaves_the_pods_takes_the_expansion_along(cluster: Cluster) -> None:
    image = "registry.example.com/own:1"
    cluster.apply(chart(image=image))
    assert "affinity" in template(cluster.get("deployment/chat"))["spec"]
    cluster.apply(chart(label=False, image=image))
    freed = cluster.get("deployment/chat")
    assert "affinity" not in template(freed)["spec"]
    assert annotations.EXPANSION not in freed["metadata"]["annotations"]


def test_a_workload_without_any_label_is_nobodys_business(cluster: Cluster) -> None:
    """Not even with the webhook down."""
    cluster.webhook.stop()
    try:
        said = cluster.apply(chart(label=False, image="registry.example.com/own:1"))
        assert said.endswith("created\n")
        refused = cluster.run("apply", "-f", "-", stdin=chart())
        assert refused.returncode != 0
        assert "expand-by-pods.plainsail.dev" in refused.stderr
    finally:
        cluster.webhook.start()
