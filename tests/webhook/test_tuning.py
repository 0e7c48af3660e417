"""The pod of a tuning run: who gets the GPU, the data, the credentials, and what ends the Job."""

from typing import Any

import pytest

from presets import annotations, catalog, runtime_args
from tests import builders, golden_terms
from webhook import admit, podspec, reasons, workloads
from webhook.terms import Terms

CLAIM = {annotations.TUNING_OUTPUT_PVC: "adapters/sql"}
IMAGE = {
    annotations.TUNING_OUTPUT_IMAGE: "ghcr.io/org/sql:1",
    annotations.TUNING_OUTPUT_PUSH_SECRET: "registry-login",
}
URLS = {annotations.TUNING_INPUT_URLS: "https://example.com/a https://example.com/b"}
DATA = {annotations.TUNING_INPUT_PVC: "data/sql"}
IN_IMAGE = {annotations.TUNING_INPUT_IMAGE: "ghcr.io/org/data:1"}


def decided(
    *keys: dict[str, str], image_volumes: bool = True, programs: Any = None, **pod: Any
) -> admit.Decision:
    made = builders.job("tune").preset("phi-3-mini-4k-instruct").pod(**pod)
    for key, text in {annotations.TUNING_METHOD: "lora", **keys[0], **keys[1]}.items():
        made.annotation(key, text)
    able = golden_terms.ALL_PROGRAMS if programs is None else programs
    terms = Terms(catalog.load(), image_volumes=image_volumes, programs=able)
    return admit.admit(admit.AdmissionRequest(admit.CREATE, made.build()), terms)


def expanded(*keys: dict[str, str], **more: Any) -> admit.Allowed:
    decision = decided(*keys, **more)
    assert isinstance(decision, admit.Allowed), decision
    return decision


def pod_of(decision: admit.Allowed) -> dict[str, Any]:
    return workloads.pod_spec(decision.workload)


def names(held: list[dict[str, Any]] | None) -> list[str]:
    return [one["name"] for one in held or ()]


@pytest.mark.parametrize(
    ("data", "kept", "before", "running"),
    [
        (URLS, CLAIM, ["fetch"], ["tune"]),
        (URLS, IMAGE, ["fetch"], ["tune", "push"]),
        (DATA, IMAGE | CLAIM, [], ["tune", "push"]),
        (IN_IMAGE, CLAIM, [], ["tune"]),
    ],
)
def test_only_the_programs_that_are_needed_run(
    data: dict[str, str], kept: dict[str, str], before: list[str], running: list[str]
) -> None:
    pod = pod_of(expanded(data, kept))
    assert names(pod.get("initContainers")) == before
    assert names(pod["containers"]) == running


def test_the_gpu_is_for_the_run_alone_and_the_token_for_nobody() -> None:
    pod = pod_of(expanded(URLS, IMAGE))
    asking = [c["name"] for c in (*pod["containers"], *pod["initContainers"]) if "resources" in c]
    assert asking == ["tune"]
    assert pod["automountServiceAccountToken"] is False


def test_the_credentials_are_mounted_where_push_looks_and_nowhere_else() -> None:
    pod = pod_of(expanded(URLS, IMAGE))
    (login,) = (v for v in pod["volumes"] if "secret" in v)
    assert login["secret"]["secretName"] == "registry-login"
    (item,) = login["secret"]["items"]
    held = [
        (container["name"], mount["mountPath"])
        for container in (*pod["containers"], *pod["initContainers"])
        for mount in container["volumeMounts"]
        if mount["name"] == login["name"]
    ]
    ((name, directory),) = held
    assert (name, item["key"]) == ("push", ".dockerconfigjson")
    assert f"{directory}/{item['path']}" == runtime_args.PushArgs("i", "m").login


def test_push_and_tune_share_the_file_by_which_push_learns_of_the_end() -> None:
    pod = pod_of(expanded(DATA, IMAGE))
    directory = runtime_args.LOCK.rpartition("/")[0]
    volumes = [
        mount["name"]
        for container in pod["containers"]
        for mount in container["volumeMounts"]
        if mount["mountPath"] == directory
    ]
    assert volumes == ["plainsail-run", "plainsail-run"]
    assert {"name": "plainsail-run", "emptyDir": {}} in pod["volumes"]


def test_data_of_an_image_is_mounted_or_copied_by_the_image_itself() -> None:
    """As weights and adapters are: an image FROM scratch takes a cluster that mounts images."""
    mounted, copied = (
        pod_of(expanded(IN_IMAGE, CLAIM, image_volumes=mounts)) for mounts in (True, False)
    )
    (tune,) = mounted["containers"]
    assert "--data=/mnt/data/data" in tune["args"]
    (copier,) = copied["initContainers"]
    assert (copier["image"], copier["command"]) == (
        "ghcr.io/org/data:1",
        ["cp", "-R", "/data/.", "/mnt/data"],
    )
    assert not any(text.startswith("--data") for text in copied["containers"][0]["args"])


def test_the_kubelet_hands_a_url_on_as_it_is() -> None:
    """It reads `$(NAME)` as a variable, and `$$` as a dollar."""
    data = {annotations.TUNING_INPUT_URLS: "https://example.com/a?sig=$(HF_HOME)$$"}
    (fetch,) = pod_of(expanded(data, CLAIM))["initContainers"]
    assert fetch["args"][1] == "--url=https://example.com/a?sig=$$(HF_HOME)$$$$"


def test_nobody_may_write_to_a_fresh_claim() -> None:
    """A volume belongs to root at first; without a claim nothing needs the group."""
    assert pod_of(expanded(DATA, CLAIM))["securityContext"]["fsGroup"] == podspec.USER
    assert "securityContext" not in pod_of(expanded(DATA, IMAGE))
    own = {"fsGroup": 2000}
    assert pod_of(expanded(DATA, CLAIM, securityContext=own))["securityContext"]["fsGroup"] == 2000


def test_what_no_other_pod_can_mend_ends_the_job_and_an_eviction_counts_for_nothing() -> None:
    spec = expanded(DATA, CLAIM).workload["spec"]
    assert spec["backoffLimit"] == 3
    ignored, ended = spec["podFailurePolicy"]["rules"]
    assert (ignored["action"], ended["action"]) == ("Ignore", "FailJob")
    assert ended["onExitCodes"] == {"containerName": "tune", "operator": "In", "values": [2]}
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["podReplacementPolicy"] == "Failed"  # the API server takes no other beside it


def test_only_our_programs_end_the_job_by_their_status() -> None:
    """Each by the name that its container has in the pod; an app beside them says what it means."""
    containers = [{"name": "trainer"}, {"name": "app", "image": "app:1"}]
    spec = expanded(URLS, IMAGE, containers=containers).workload["spec"]
    rules = spec["podFailurePolicy"]["rules"][1:]
    assert [rule["onExitCodes"]["containerName"] for rule in rules] == ["fetch", "push", "trainer"]


def test_a_user_who_restarts_pods_gets_no_policy_that_forbids_it() -> None:
    """The API server refuses a failure policy beside `OnFailure`."""
    spec = expanded(DATA, CLAIM, restartPolicy="OnFailure").workload["spec"]
    assert "podFailurePolicy" not in spec
    assert spec["template"]["spec"]["restartPolicy"] == "OnFailure"


def test_a_run_whose_checkpoints_go_with_its_pod_is_told_so() -> None:
    told = [{note.reason for note in expanded(DATA, out).notes} for out in (IMAGE, CLAIM)]
    assert [reasons.RESULTS_NOT_KEPT in each for each in told] == [True, False]


@pytest.mark.parametrize(
    ("data", "kept", "missing"),
    [(DATA, CLAIM, {"tune"}), (URLS, IMAGE, {"fetch", "push", "tune"})],
)
def test_a_run_is_refused_until_the_image_has_its_programs(
    data: dict[str, str], kept: dict[str, str], missing: set[str]
) -> None:
    """Rather than let in to fail in its pod; `PROGRAMS` is the one switch."""
    decision = decided(data, kept, programs=frozenset({"serve"}))
    assert isinstance(decision, admit.Denied)
    (error,) = decision.errors
    assert error.reason == annotations.NOT_SUPPORTED_YET
    assert all(f"no {program}" in error.message for program in missing)
    for program in missing:
        some = decided(data, kept, programs=golden_terms.ALL_PROGRAMS - {program})
        assert isinstance(some, admit.Denied)


def test_an_expanded_manifest_is_let_in_again_and_an_edit_of_its_image_is_not() -> None:
    """What we added is no trainer of the user's own; what was changed since is not ours."""
    once = expanded(URLS, IMAGE).workload
    terms = Terms(catalog.load(), programs=golden_terms.ALL_PROGRAMS)
    again = admit.admit(admit.AdmissionRequest(admit.CREATE, once), terms)
    assert isinstance(again, admit.Allowed)
    assert again.patch == []
