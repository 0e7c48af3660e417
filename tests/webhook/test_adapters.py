"""Adapters of a workload: mounted where the server is told, copied where images are not mounted."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import kubernetes_validate
import pytest

from presets import adapter_list, annotations, catalog
from tests import builders
from tests.laws.holding import allowed
from tests.webhook.cluster import Cluster, Object, template, workload
from webhook import adapters, admit, reasons
from webhook.terms import Terms

SQL = adapter_list.Adapter("sql", "r.example.com/sql:1", Decimal("0.5"))
TONE = adapter_list.Adapter("tone", "r.example.com/tone:1")
LISTED = adapter_list.write((SQL, TONE))


def expanded(*, image_volumes: bool = True, preset: str = "tiny-chat", **pod: Any) -> admit.Allowed:
    made = builders.deployment().preset(preset).annotation(annotations.ADAPTERS, LISTED).pod(**pod)
    return allowed(made.build(), terms=Terms(catalog.load(), image_volumes=image_volumes))


@pytest.mark.parametrize(
    ("has_image_volumes", "directory", "source"),
    [(True, "/mnt/adapter/sql/data", "image"), (False, "/mnt/adapter/sql", "emptyDir")],
)
def test_the_server_is_told_the_directory_of_the_files(
    directory: str, source: str, *, has_image_volumes: bool
) -> None:
    """An image is mounted whole; a copy holds the files alone."""
    beside = adapters.Beside((SQL,), has_image_volumes)
    (told,) = adapters.served(beside)
    assert (told.name, told.directory, told.strength) == ("sql", directory, Decimal("0.5"))
    (volume,) = adapters.volumes(beside)
    assert volume.keys() == {"name", source}


def test_an_image_from_scratch_needs_no_program() -> None:
    """It is mounted: nothing runs in it."""
    assert adapters.copiers(adapters.Beside((SQL,)), {}) == []
    assert "initContainers" not in template(expanded().workload)["spec"]


def test_without_image_volumes_each_image_copies_its_own_files_and_a_warning_says_so() -> None:
    """As strict as the model's container, which sees the copies read-only."""
    own = {"name": "own", "image": "own:1"}
    decision = expanded(image_volumes=False, initContainers=[own])
    spec = template(decision.workload)["spec"]
    first, *copiers = spec["initContainers"]
    assert first == own
    assert [(c["image"], c["command"]) for c in copiers] == [
        (one.image, ["cp", "-R", "/data/.", f"/mnt/adapter/{one.name}"]) for one in (SQL, TONE)
    ]
    (model,) = spec["containers"]
    assert all(c["securityContext"] == model["securityContext"] for c in copiers)
    assert "--adapter=sql:0.5:/mnt/adapter/sql" in model["args"]
    assert reasons.ADAPTERS_COPIED in {note.reason for note in decision.notes}
    kubernetes_validate.validate(decision.workload, "1.36", strict=True)


def test_the_pods_own_pull_secrets_are_kept() -> None:
    """By them the kubelet pulls images of volumes and of init containers alike."""
    secrets = [{"name": "registry-login"}]
    assert template(expanded(imagePullSecrets=secrets).workload)["spec"]["imagePullSecrets"] == (
        secrets
    )


def test_the_longest_name_of_an_adapter_fits() -> None:
    long = adapter_list.Adapter("n" * 63, "r.example.com/n:1")
    copied = adapters.Beside((long,) * 10, has_image_volumes=False)
    names = [c["name"] for c in adapters.copiers(copied, {})]
    assert len(set(names)) == 10
    assert max(map(len, names)) <= 63


def test_room_for_the_adapters_is_counted() -> None:
    """A machine that holds the model alone is refused where ten adapters find no room."""
    made = builders.deployment().preset("mistral-7b-instruct")
    made.annotation(annotations.INSTANCE_TYPES, "Standard_NC6s_v3")
    terms = Terms(catalog.load())
    allowed(made.build(), terms=terms)
    ten = [{"name": f"a{n}", "image": f"r/a:{n}"} for n in range(10)]
    made.annotation(annotations.ADAPTERS, json.dumps(ten))
    beside = admit.admit(admit.AdmissionRequest(admit.CREATE, made.build()), terms)
    assert isinstance(beside, admit.Denied)
    assert [error.reason for error in beside.errors] == [reasons.DOES_NOT_FIT]


@pytest.mark.controlplane
def test_pod_security_restricted_lets_the_pods_in(
    shared: Cluster, strictly: Callable[[Object], str]
) -> None:
    body = workload()
    body["metadata"].setdefault("annotations", {})[annotations.ADAPTERS] = LISTED
    spec = template(shared.try_out(body))["spec"]
    added = ["plainsail-adapter-0", "plainsail-adapter-1"]
    assert [v["name"] for v in spec["volumes"]][-2:] == added
    assert strictly(spec) == ""
    copied = template(expanded(image_volumes=False).workload)["spec"]
    assert strictly(copied) == ""
