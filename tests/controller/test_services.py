"""The Service of a workload, and the plan that keeps it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller import services, views
from kubeapi import api
from tests.controller import objects

_GOLDEN = Path(__file__).parent / "golden"


def _view(**meta: Any) -> views.WorkloadView:
    view = views.deployment(objects.workload(**meta))
    assert view is not None
    return view


def _made(workload: views.WorkloadView, **meta: Any) -> api.Object:
    """The Service of a workload as the API server has it, defaults filled in."""
    raw = services.manifest(workload)
    raw["metadata"] |= {"uid": "uid-service", "resourceVersion": "7"} | meta
    raw["spec"] = {"clusterIP": "10.96.0.7", "type": "ClusterIP"} | raw["spec"]
    raw["spec"]["ports"][0]["nodePort"] = 30000
    return raw


def _codes(plan: services.Plan) -> list[str]:
    return [left.reason.code for left in plan.left_alone]


_NOTHING = services.Plan((), (), (), ())


def test_the_service_is_the_golden_one() -> None:
    golden = yaml.safe_load((_GOLDEN / "service.yaml").read_text())
    assert services.manifest(_view()) == golden


@pytest.mark.parametrize(
    ("kind", "nodes", "leads"),
    [("StatefulSet", 2, True), ("StatefulSet", 1, False), ("Deployment", 2, False)],
)
def test_of_a_model_over_several_nodes_the_pod_that_leads_gets_the_requests(
    kind: str, nodes: int, *, leads: bool
) -> None:
    """The others are ready before the model is, and answer nobody."""
    raw = objects.workload()
    env = [{"name": "PLAINSAIL_NODES", "value": str(nodes)}]
    raw["spec"]["template"]["spec"] = {"containers": [{"name": "model", "env": env}]}
    index = {"apps.kubernetes.io/pod-index": "0"} if leads else {}
    made = services.manifest(views.workload(raw, kind))
    assert made["spec"]["selector"] == {"app": "chat", **index}


def test_a_workload_without_a_service_gets_one() -> None:
    assert services.plan([_view()], []) == services.Plan((_view(),), (), (), ())


def test_planning_its_own_result_changes_nothing() -> None:
    made = views.service(_made(_view()))
    assert services.plan([_view()], [made]) == _NOTHING


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"selector": {"app": "other"}}, id="selector"),
        pytest.param({"ports": [{"name": "http", "port": 81}]}, id="ports"),
        pytest.param({"ports": []}, id="no ports"),
    ],
)
def test_a_service_that_differs_is_mended(spec: dict[str, Any]) -> None:
    raw = _made(_view())
    raw["spec"] |= spec
    assert services.plan([_view()], [views.service(raw)]).mend == (_view(),)


def test_what_the_user_adds_to_our_service_is_no_difference() -> None:
    raw = _made(_view(), annotations={"team": "a"})
    raw["spec"] |= {"type": "LoadBalancer", "sessionAffinity": "ClientIP"}
    assert services.plan([_view()], [views.service(raw)]) == _NOTHING


_BALANCED = {"kaito.sh/enablelb": "True"}


def test_a_load_balancer_is_made_where_it_is_asked_for() -> None:
    made = services.manifest(_view(annotations=_BALANCED))
    assert made["spec"]["type"] == "LoadBalancer"
    refused = services.manifest(_view(annotations={"kaito.sh/enablelb": "False"}))
    assert "type" not in refused["spec"]


@pytest.mark.parametrize(
    ("asked", "kind", "marked", "mended"),
    [
        (True, "ClusterIP", False, True),
        (True, "ClusterIP", True, True),
        (True, "LoadBalancer", True, False),
        (True, "LoadBalancer", False, True),
        (False, "LoadBalancer", True, True),
        (False, "LoadBalancer", False, False),
        (False, "ClusterIP", False, False),
    ],
)
def test_the_type_follows_the_workload_and_a_users_own_type_stays(
    kind: str, *, asked: bool, marked: bool, mended: bool
) -> None:
    """What the user changed by hand is not ours, and what we changed goes back with the wish."""
    workload = _view(annotations=_BALANCED if asked else {})
    raw = _made(_view(), **({"annotations": _BALANCED} if marked else {}))
    raw["spec"]["type"] = kind
    plan = services.plan([workload], [views.service(raw)])
    assert plan.mend == ((workload,) if mended else ())


def test_a_load_balancer_once_made_needs_no_mending() -> None:
    workload = _view(annotations=_BALANCED)
    assert services.plan([workload], [views.service(_made(workload))]) == _NOTHING


def test_a_users_own_service_wins() -> None:
    raw = objects.own_service()
    raw["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    plan = services.plan([_view()], [views.service(raw)])
    assert (plan.create, plan.mend, plan.delete) == ((), (), ())
    assert _codes(plan) == ["ServiceConflict"]


@pytest.mark.parametrize(
    "workloads",
    [
        pytest.param([], id="label or workload gone"),
        pytest.param([_view(annotations={"kaito.sh/service": "none"})], id="refused"),
        pytest.param([_view(uid="uid-of-a-new-one")], id="workload made anew"),
        pytest.param([_view(deletionTimestamp="now")], id="workload being deleted"),
    ],
)
def test_a_service_of_ours_that_nobody_wants_is_deleted(
    workloads: list[views.WorkloadView],
) -> None:
    made = views.service(_made(_view()))
    plan = services.plan(workloads, [made])
    assert (plan.delete, plan.create, plan.mend) == ((made,), (), ())


def test_a_service_that_is_going_is_left_alone_until_it_is_gone() -> None:
    going = views.service(_made(_view(), deletionTimestamp="now"))
    assert services.plan([_view()], [going]) == _NOTHING
    assert services.plan([], [going]) == _NOTHING


def test_a_selector_of_expressions_alone_cannot_be_served() -> None:
    raw = objects.workload()
    raw["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    view = views.deployment(raw)
    assert view is not None
    assert _codes(services.plan([view], [])) == ["ServiceSelector"]


def test_of_two_workloads_with_one_name_the_deployment_has_the_service() -> None:
    other = views.stateful_set(objects.workload(uid="uid-other"))
    assert other is not None
    for workloads in ([_view(), other], [other, _view()]):
        plan = services.plan(workloads, [])
        assert plan.create == (_view(),)
        assert [left.workload for left in plan.left_alone] == [other]
        assert services.plan(workloads, [views.service(_made(_view()))]).delete == ()
