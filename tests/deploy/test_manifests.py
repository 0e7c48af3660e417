"""The shipped manifests: by Kubernetes' schema, by an API server, and against one another.

The pods of our scheduler are what the local cluster runs as processes, and run as the restricted
Pod Security standard wants it, which the API server itself decides.
"""

import copy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.local import api as apis
from deploy.local import binaries, manifests, scheduling
from scheduler_ext import settings
from tests.apiserver import until

Object = dict[str, Any]

NAMES = sorted(file.stem for file in manifests.DIRECTORY.glob("*.yaml"))
NAMESPACE = "/api/v1/namespaces/plainsail-system"


def shipped(name: str, kind: str) -> Object:
    """The only object of a kind in the manifest of that name."""
    (found,) = (one for one in manifests.documents(name) if one["kind"] == kind)
    return found


@pytest.fixture
def deployment() -> Object:
    """Of our scheduler."""
    return shipped("scheduler-deployment", "Deployment")


@pytest.fixture
def pod(deployment: Object) -> Object:
    """The specification of its pods."""
    found: Object = deployment["spec"]["template"]["spec"]
    return found


def container(pod: Object, name: str) -> Object:
    """The container of that name."""
    found: Object = next(one for one in pod["containers"] if one["name"] == name)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_field_is_misspelt_unknown_or_missing(name: str) -> None:
    """The API server drops those without a word."""
    for document in manifests.documents(name):
        kubernetes_validate.validate(document, "1.36", strict=True)


def test_the_scheduler_is_of_the_version_that_is_tested(pod: Object) -> None:
    image = container(pod, "kube-scheduler")["image"]
    assert image == f"registry.k8s.io/kube-scheduler:v{binaries.KUBERNETES}"


def test_the_local_cluster_runs_the_schedulers_flags_and_configuration(
    pod: Object, tmp_path: Path
) -> None:
    """But for what is of its place, and the election among several."""
    pair = scheduling.Pair(tmp_path, tmp_path / "kubeconfig", tmp_path, 10269, settings.PORT)
    first, *flags = container(pod, "kube-scheduler")["args"]
    assert flags
    assert set(flags) < set(scheduling.scheduler(pair))
    assert any(flag.startswith(scheduling.RETRY) for flag in flags)
    (volume,) = pod["volumes"]
    (mount,) = container(pod, "kube-scheduler")["volumeMounts"]
    assert mount["name"] == volume["name"]
    assert first == f"--config={mount['mountPath']}/config.yaml"
    mounted = shipped("scheduler", "ConfigMap")
    assert volume["configMap"]["name"] == mounted["metadata"]["name"]
    config = yaml.safe_load(mounted["data"]["config.yaml"])
    local = scheduling.configuration(pair)
    assert config.pop("leaderElection")["leaderElect"]
    assert local.pop("leaderElection") == {"leaderElect": False}
    assert local["clientConnection"].pop("kubeconfig") == str(pair.kubeconfig)
    assert local == config


def test_the_scheduler_asks_where_the_extender_listens(pod: Object) -> None:
    """So do the probes, from inside: the kubelet cannot reach the loopback address of a pod."""
    extender = container(pod, "extender")
    assert extender["command"] == ["python", "-m", "scheduler_ext"]
    port = settings.parse(extender["args"]).port
    (asked,) = scheduling.shipped()["extenders"]
    assert asked["urlPrefix"] == f"http://127.0.0.1:{port}/"
    probes = {name: extender[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    paths = {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    for name, probe in probes.items():
        command = ["python", "-m", "scheduler_ext.probe", str(port), paths[name]]
        assert probe["exec"] == {"command": command}


def test_a_drain_of_nodes_leaves_one_of_two_schedulers(deployment: Object) -> None:
    budget = shipped("scheduler-deployment", "PodDisruptionBudget")
    assert deployment["spec"]["replicas"] == 2
    assert budget["spec"] == {"maxUnavailable": 1, "selector": deployment["spec"]["selector"]}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"] == deployment["spec"]["selector"]


@pytest.fixture
def installed(cluster_api: apis.Api) -> apis.Api:
    """A control plane with our namespace, and what our scheduler's pods refer to."""
    manifests.install(cluster_api, "namespace", "scheduler")
    return cluster_api


@pytest.mark.controlplane
@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_takes_it_as_it_is(installed: apis.Api, name: str) -> None:
    for document in manifests.documents(name):
        collection, _, _ = apis.path_of(document).rpartition("/")
        try:
            installed.create(f"{collection}?dryRun=All&fieldValidation=Strict", document)
        except apis.Conflict:
            continue  # it is there: by `installed`


@pytest.mark.controlplane
@pytest.mark.parametrize("confined", ["runAsNonRoot", "seccompProfile", "capabilities"])
def test_the_api_server_would_refuse_schedulers_that_may_do_more(
    installed: apis.Api, pod: Object, confined: str
) -> None:
    path = f"{NAMESPACE}/pods?dryRun=All"
    looser = copy.deepcopy(pod)
    for context in (looser, *looser["containers"]):
        context["securityContext"].pop(confined, None)
    installed.create(path, {"metadata": {"name": "p"}, "spec": pod})
    with pytest.raises(apis.Refused, match="violates PodSecurity"):
        installed.create(path, {"metadata": {"name": "p"}, "spec": looser})


@pytest.mark.controlplane
def test_two_pods_are_made(installed: apis.Api, deployment: Object) -> None:
    """As the restricted standard, the ServiceAccount and quotas of the namespace have it."""
    manifests.install(installed, "scheduler-deployment")
    try:
        until(lambda: len(installed.get(f"{NAMESPACE}/pods")["items"]) == 2, 30.0)
    finally:
        installed.delete(apis.path_of(deployment))
        until(lambda: not installed.get(f"{NAMESPACE}/pods")["items"], 30.0)
