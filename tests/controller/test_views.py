"""Which workloads and Services are seen, and as what."""

from typing import Any

import pytest

from controller import views
from tests.controller import objects

_OURS = {views.MANAGED_BY: views.OURS}
_OWNER = {"uid": "uid-chat", "controller": True}


@pytest.mark.parametrize(
    "meta",
    [
        pytest.param({"labels": {"kaito.sh/preset": "x"}}, id="label"),
        pytest.param({"labels": {}, "annotations": {"kaito.sh/preset": "a/b"}}, id="annotation"),
        pytest.param({"labels": {}, "annotations": {"kaito.sh/expansion": "{}"}}, id="expanded"),
    ],
)
def test_a_workload_opts_in_by_label_annotation_or_expansion(meta: dict[str, Any]) -> None:
    view = views.deployment(objects.workload(**meta))
    assert view == views.WorkloadView(
        key="team-a/Deployment/chat",
        uid="uid-chat",
        selector=(("app", "chat"),),
        service=True,
        load_balancer=False,
        terminating=False,
    )


def test_a_label_on_the_pod_template_opts_in_too() -> None:
    raw = objects.workload(labels={})
    assert views.stateful_set(raw) is None
    raw["spec"]["template"]["metadata"]["labels"] = {"kaito.sh/preset": "x"}
    view = views.stateful_set(raw)
    assert view is not None
    assert view.kind == "StatefulSet"


def test_only_the_word_none_refuses_a_service() -> None:
    for value, wanted in (("none", False), ("", True), ("None", True)):
        view = views.deployment(objects.workload(annotations={"kaito.sh/service": value}))
        assert view is not None
        assert view.service is wanted


@pytest.mark.parametrize(
    ("meta", "owner"),
    [
        pytest.param({"labels": _OURS, "ownerReferences": [_OWNER]}, "uid-chat", id="ours"),
        pytest.param({"labels": {}, "ownerReferences": [_OWNER]}, "", id="another controller's"),
        pytest.param({"labels": _OURS}, "", id="orphaned"),
    ],
)
def test_a_service_is_ours_by_label_and_owner_together(meta: dict[str, Any], owner: str) -> None:
    raw = objects.own_service()
    raw["metadata"] |= {"uid": "u", "resourceVersion": "1"} | meta
    assert views.service(raw).owner == owner
