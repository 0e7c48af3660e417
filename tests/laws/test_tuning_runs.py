"""What holds for every tuning run that admission accepts; each law over 200 drawn Jobs.

The drawn space: method x input x output x settings or none x source of weights x pods null, empty,
a stub, a stub beside an app x the user's own values x a cluster that mounts images or does not.
"""

import copy
import dataclasses
import random
from typing import Any

import kubernetes_validate
import pytest

from presets import annotations, runtime_args
from tests import builders, golden_terms
from tests.laws import holding
from webhook import admit, workloads
from webhook.terms import Terms

SEEDS = range(200)

INPUTS = (
    {annotations.TUNING_INPUT_URLS: "https://example.com/a?b=$(c)\nhttps://example.com/d"},
    {annotations.TUNING_INPUT_IMAGE: "ghcr.io/org/data:1"},
    {annotations.TUNING_INPUT_PVC: "data"},
    {annotations.TUNING_INPUT_PVC: "data/a/b"},
)
IMAGE = {
    annotations.TUNING_OUTPUT_IMAGE: "ghcr.io/org/sql:1",
    annotations.TUNING_OUTPUT_PUSH_SECRET: "registry-login",
}
CLAIM = {annotations.TUNING_OUTPUT_PVC: "adapters/sql"}
OUTPUTS = (IMAGE, CLAIM, IMAGE | CLAIM)


def drawn(seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    method = draw.choice(runtime_args.METHODS)
    out = builders.job(f"w{seed}").preset(draw.choice(["phi-4", "phi-3-mini-4k-instruct"]))
    keys = {annotations.TUNING_METHOD: method, **draw.choice(INPUTS), **draw.choice(OUTPUTS)}
    if draw.random() < 0.5:
        keys[annotations.TUNING_CONFIG] = "params"
    if draw.random() < 0.5:
        keys[annotations.WEIGHTS] = draw.choice(["image:ghcr.io/org/m:1/a", "pvc:models/a"])
    for key, text in keys.items():
        out.annotation(key, text)
    if draw.random() < 0.5:
        out.spec(backoffLimit=draw.choice([0, 6]))
    out.pod(**pod(draw))
    return out.build()


def pod(draw: random.Random) -> dict[str, Any]:
    some: dict[str, Any] = {
        "tolerations": [{"operator": "Exists"}],
        "securityContext": draw.choice([{}, {"runAsUser": 1000}, {"fsGroup": 2000}]),
        "volumes": [{"name": "own", "emptyDir": {}}],
        "restartPolicy": draw.choice(["Always", "Never", "OnFailure"]),
        "imagePullSecrets": [{"name": "registry-login"}],
        "initContainers": [{"name": "own-init", "image": "own:1"}],
    }
    fields = {key: value for key, value in some.items() if draw.random() < 0.4}
    stub: dict[str, Any] = {"name": draw.choice(["tune", "trainer"])}
    if draw.random() < 0.5:
        stub["env"] = [{"name": "HF_HOME", "value": "/own"}]
        stub["volumeMounts"] = [{"name": "own", "mountPath": draw.choice(["/own", "/tmp"])}]
        fields.setdefault("volumes", [{"name": "own", "emptyDir": {}}])
    app = {"name": "app", "image": "registry.example.com/app:1"}
    fields["containers"] = draw.choice([None, [], [stub], [stub], [app, stub]])
    return fields


def terms(workload: dict[str, Any]) -> Terms:
    """Of a cluster that follows from the workload's name, as the seed does."""
    mounts = int(workload["metadata"]["name"][1:]) % 2 == 0
    return dataclasses.replace(golden_terms.TERMS, image_volumes=mounts)


def decided(workload: dict[str, Any], old: dict[str, Any] | None = None) -> admit.Allowed:
    return holding.allowed(workload, old, terms(workload))


@pytest.mark.parametrize("seed", SEEDS)
def test_expansion_is_idempotent_and_its_record_is_its_inverse(seed: int) -> None:
    for before in (drawn(seed), builders.stored(drawn(seed))):
        holding.assert_inverse(before, terms(before))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_patch_turns_the_object_into_the_expansion(seed: int) -> None:
    before = builders.stored(drawn(seed))
    holding.assert_patch_applies(before, terms(before))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_users_values_survive(seed: int) -> None:
    """All but those that the API server writes itself, where nobody else did."""
    before = drawn(seed)
    if workloads.pod_spec(before).get("restartPolicy") == "Always":
        del before["spec"]["template"]["spec"]["restartPolicy"]
    if before["spec"].get("backoffLimit") == 6:
        del before["spec"]["backoffLimit"]
    holding.assert_within(before, decided(before).workload)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_job_follows_the_schema_of_kubernetes(seed: int) -> None:
    kubernetes_validate.validate(decided(drawn(seed)).workload, "1.36", strict=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_mount_has_its_volume_and_every_volume_of_ours_a_mount(seed: int) -> None:
    """The API server refuses the first; the second would be made for nothing."""
    found = workloads.pod_spec(decided(drawn(seed)).workload)
    held = [*found["containers"], *found.get("initContainers", ())]
    mounted = {m["name"] for container in held for m in container.get("volumeMounts", ())}
    volumes = [volume["name"] for volume in found["volumes"]]
    assert len(volumes) == len(set(volumes))
    assert mounted <= set(volumes)
    assert {name for name in volumes if name.startswith("plainsail-")} <= mounted
    paths = [[m["mountPath"] for m in c.get("volumeMounts", ())] for c in held]
    assert all(len(each) == len(set(each)) for each in paths)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_programs_are_told_is_what_they_read(seed: int) -> None:
    """And each finds mounted what it is told of."""
    found = workloads.pod_spec(decided(drawn(seed)).workload)
    programs: dict[str, Any] = {
        "fetch": runtime_args.FetchArgs,
        "tune": runtime_args.TuneArgs,
        "push": runtime_args.PushArgs,
    }
    told = {}
    for container in (*found["containers"], *found.get("initContainers", ())):
        if args := container.get("args"):
            told[args[0]] = programs[args[0]].from_argv(args)
    tune, push = told["tune"], told.get("push")
    assert isinstance(tune, runtime_args.TuneArgs)
    if isinstance(push, runtime_args.PushArgs):
        assert push.source == tune.output
    (container,) = (c for c in found["containers"] if c.get("args", ["?"])[0] == "tune")
    paths = tuple(mount["mountPath"] for mount in container["volumeMounts"])
    for directory in (tune.data, tune.output):
        assert directory.startswith(paths)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_container_of_ours_keeps_pod_security_restricted(seed: int) -> None:
    """Where the user's own settings for the pod do not say otherwise."""
    found = workloads.pod_spec(decided(drawn(seed)).workload)
    added = [
        container
        for container in (*found["containers"], *found.get("initContainers", ()))
        if container["name"] not in ("app", "own-init")
    ]
    assert len(added) >= 1
    for container in added:
        held = found.get("securityContext", {}) | container["securityContext"]
        assert held["allowPrivilegeEscalation"] is False
        assert held["capabilities"] == {"drop": ["ALL"]}
        assert held["runAsNonRoot"] is held["readOnlyRootFilesystem"] is True
        assert held["runAsUser"] != 0
        assert held["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stored_jobs_template_stays_whatever_arrives(seed: int) -> None:
    """W13: applied anew, relabelled, the label taken off."""
    before = drawn(seed)
    old = builders.stored(decided(builders.stored(before)).workload)
    bare = copy.deepcopy(old)
    del bare["metadata"]["labels"][annotations.PRESET]
    for new in (builders.stored(before), old, bare):
        kept = decided(new, old).workload
        assert kept["spec"]["template"] == old["spec"]["template"]
