"""Where weights come from, and that the strictest Pod Security lets the pods in all the same."""

from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest

from presets import annotations, catalog, sources
from tests import builders
from tests.webhook.cluster import Cluster, Object, template, workload
from webhook import admit, reasons, record, unfill, weights
from webhook.terms import Terms

HUB, IMAGE, CLAIM, WHOLE = (
    weights.Supply(sources.read_weights(text))
    for text in ("hub", "image:r.example.com/m:1/a/b", "pvc:models/c", "pvc:models")
)
COPIED = weights.Supply(IMAGE.source, has_image_volumes=False)


def known(name: str) -> Any:
    return catalog.load().find(name)


@pytest.mark.parametrize(
    ("supply", "directory", "volumes"),
    [
        (HUB, "", []),
        (IMAGE, "/mnt/weights/a/b", ["image"]),
        (CLAIM, "/mnt/weights/c", ["persistentVolumeClaim"]),
        (WHOLE, "/mnt/weights", ["persistentVolumeClaim"]),
        (COPIED, "/mnt/weights", ["emptyDir"]),
    ],
)
def test_a_source_and_its_volume(
    supply: weights.Supply, directory: str, volumes: list[str]
) -> None:
    assert weights.directory(supply) == directory
    assert [kind for v in weights.volumes(supply) for kind in v if kind != "name"] == volumes
    paths = [mount["mountPath"] for mount in weights.mounts(supply)]
    assert paths == ["/mnt/weights"] * len(volumes)


def test_the_path_is_followed_inside_the_mount() -> None:
    """A cache of the hub links out of its snapshot: a subPath would cut the links."""
    assert "subPath" not in weights.mounts(CLAIM)[0]


@pytest.mark.parametrize(
    ("name", "supply", "needed"),
    [
        ("llama-3.1-8b-instruct", HUB, True),
        ("llama-3.1-8b-instruct", CLAIM, False),
        ("phi-4", HUB, False),
        ("tiny-chat", HUB, False),
    ],
)
def test_a_token_is_for_gated_weights_of_the_hub(
    name: str, supply: weights.Supply, *, needed: bool
) -> None:
    assert weights.needs_token(known(name), supply) is needed
    assert len(weights.environment(known(name), supply)) == needed


def expanded(wish: str, **pod: Any) -> admit.Decision:
    """What becomes of a workload where the cluster cannot mount images."""
    made = builders.deployment().preset().annotation(annotations.WEIGHTS, wish).pod(**pod).build()
    request = admit.AdmissionRequest(admit.CREATE, made)
    return admit.admit(request, Terms(catalog.load(), image_volumes=False))


def test_without_image_volumes_the_image_itself_copies_its_weights() -> None:
    """As strict as the model's container, which sees the copy read-only."""
    own = {"name": "own", "image": "own:1"}
    decision = expanded("image:r.example.com/m:1/a/b", initContainers=[own])
    assert isinstance(decision, admit.Allowed)
    spec = template(decision.workload)["spec"]
    first, copier = spec["initContainers"]
    assert first == own
    assert (copier["image"], copier["command"]) == (
        "r.example.com/m:1",
        ["cp", "-R", "/a/b/.", "/mnt/weights"],
    )
    (model,) = spec["containers"]
    assert copier["securityContext"] == model["securityContext"]
    assert "--model=/mnt/weights" in model["args"]
    kubernetes_validate.validate(decision.workload, "1.36", strict=True)
    kept = record.of(decision.workload)
    assert kept is not None
    undone, _ = unfill.unfill(decision.workload, kept.tree)
    assert template(undone)["spec"] == {"initContainers": [own]}


def test_the_kubelet_hands_the_path_on_as_it_is() -> None:
    """It reads `$(NAME)` in a command as a variable."""
    source = sources.read_weights("image:r.example.com/m:1/a$(HOME)")
    (copier,) = weights.copier(weights.Supply(source, has_image_volumes=False), {})
    assert copier["command"] == ["cp", "-R", "/a$$(HOME)/.", "/mnt/weights"]


def test_an_image_is_not_copied_whole() -> None:
    decision = expanded("image:r.example.com/m:1")
    assert isinstance(decision, admit.Denied)
    (error,) = decision.errors
    assert error.path == f"metadata.annotations[{annotations.WEIGHTS}]"
    assert error.hint == "image:REF:TAG/path"


def test_without_the_secret_the_pod_starts_all_the_same() -> None:
    """So that the server can say what is missing, which a pod that waits cannot."""
    (variable,) = weights.environment(known("llama-3.1-8b-instruct"), HUB)
    assert variable["valueFrom"]["secretKeyRef"]["optional"] is True


@pytest.mark.parametrize(
    ("mount", "taken"),
    [
        ({"name": "own", "mountPath": "/mnt/weights"}, True),
        ({"name": "plainsail-weights", "mountPath": "/mnt/weights"}, False),
        ({"name": "own", "mountPath": "/mnt"}, False),
    ],
)
def test_a_mount_of_the_users_is_in_the_way(mount: dict[str, str], *, taken: bool) -> None:
    made = builders.deployment().preset().annotation(annotations.WEIGHTS, "pvc:models")
    before = made.container("model", volumeMounts=[mount]).build()
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, before), Terms(catalog.load()))
    found = decision.errors if isinstance(decision, admit.Denied) else ()
    assert [error.reason for error in found] == [reasons.MOUNT_PATH_TAKEN] * taken


@pytest.mark.controlplane
@pytest.mark.parametrize("source", ["hub", "image:r.example.com/m:1/a", "pvc:models/c"])
def test_pod_security_restricted_lets_the_pods_in(
    shared: Cluster, strictly: Callable[[Object], str], source: str
) -> None:
    body = workload()
    body["metadata"].setdefault("annotations", {})[annotations.WEIGHTS] = source
    stored = shared.try_out(body)
    names = [volume["name"] for volume in template(stored)["spec"]["volumes"]]
    assert (weights.VOLUME in names) == (source != "hub")
    assert strictly(template(stored)["spec"]) == ""
