"""What the API server does with patches: ours whole, another webhook's beside ours, and wrong ones.

The wrong ones are negative controls: they show what would befall a webhook that sent them.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy.local import api as apis
from presets import annotations
from tests import golden_terms
from tests.apiserver import until
from tests.conftest import GOLDEN, Goldens
from tests.webhook import cluster as clusters
from tests.webhook.cluster import Cluster, Foreign, Object, template, workload

pytestmark = pytest.mark.controlplane

EXPAND = sorted(filter(golden_terms.is_shipped, (GOLDEN / "expand").iterdir()))
"""Tuning runs are in test_real_tuning.py."""


@contextlib.contextmanager
def called(here: Cluster, foreign: Foreign, name: str, **changes: object) -> Iterator[None]:
    """The foreign webhook in force for a namespace, by a configuration of that name."""
    made = clusters.configuration(name, [here.namespace], foreign.client, **changes)
    with clusters.registered(here.api, made):
        until(lambda: here.refusal(workload(image="own:1")) or foreign.calls, 20.0)
        yield


# Only what the patch would do is in question, so the wrong ones are about whole workloads.
WRONG = {
    "a path that is not there": [{"op": "remove", "path": "/spec/nowhere"}],
    "a test that fails": [{"op": "test", "path": "/spec/replicas", "value": 7}],
    "a value of the wrong type": [{"op": "replace", "path": "/spec/replicas", "value": "many"}],
}


@pytest.mark.parametrize("operations", WRONG.values(), ids=WRONG)
def test_a_patch_that_does_not_apply_fails_the_request_under_ignore_too(
    shared: Cluster, tmp_path: Path, operations: list[Object]
) -> None:
    """W4: the control: no policy would save a user from a patch of ours that did not apply."""
    here = shared.elsewhere()
    with (
        Foreign(tmp_path, lambda _: operations) as foreign,
        called(here, foreign, here.namespace, failurePolicy="Ignore"),
        pytest.raises(apis.Refused, match="500"),
    ):
        here.create(workload(image="own:1"))
    here.remove()


def test_a_misspelt_field_of_a_patch_is_lost_without_a_word(
    shared: Cluster, tmp_path: Path
) -> None:
    """W5: the control: the object is stored, the field is not, and nobody is told."""
    here = shared.elsewhere()
    wrong = {"op": "add", "path": "/spec/template/spec/toleration", "value": [{"key": "a"}]}
    with (
        Foreign(tmp_path, lambda _: [wrong]) as foreign,
        called(here, foreign, here.namespace),
    ):
        stored = here.create(workload(image="own:1"))
    assert foreign.calls
    assert not any(key.startswith("toleration") for key in template(stored)["spec"])
    here.remove()


@pytest.mark.parametrize("case", EXPAND, ids=lambda case: case.name)
def test_the_api_server_stores_every_field_of_every_golden_object(
    cluster: Cluster, case: Path, goldens: Goldens
) -> None:
    """W4, W5: the patch applies, decodes, passes validation, and nothing of it is lost."""
    body = yaml.safe_load(goldens.read(case / "in.yaml"))
    body["metadata"].pop("namespace", None)  # tried out in the test's own
    stored = cluster.try_out(body)
    expected = yaml.safe_load(goldens.read(case / "out.yaml"))
    assert lost(expected["spec"], stored["spec"]) == []


def lost(wanted: object, found: object, path: str = "spec") -> list[str]:
    """What was wanted and is not there; 2 is "2" to a quantity, and empty parts are nothing."""
    if isinstance(wanted, dict):
        held = found if isinstance(found, dict) else {}
        parts = ((f"{path}.{key}", value, held.get(key)) for key, value in wanted.items())
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) >= len(wanted):
        parts = ((f"{path}[{n}]", one, found[n]) for n, one in enumerate(wanted))
    else:
        return (
            []
            if not wanted or str(wanted) == str(found)
            else [f"{path}: {wanted!r} became {found!r}"]
        )
    return [line for place, one, other in parts for line in lost(one, other, place)]


def beside(request: Object) -> list[Object]:
    """What others add to workloads: an annotation and a container; once, not each time."""
    pod = request["object"]["spec"]["template"]
    held = pod["metadata"].get("annotations") or {}
    if "example.com/injected" in held:
        return []
    added = {**held, "example.com/injected": "yes"}
    return [
        {"op": "add", "path": "/spec/template/metadata/annotations", "value": added},
        {
            "op": "add",
            "path": "/spec/template/spec/containers/-",
            "value": {"name": "mesh", "image": "mesh:1"},
        },
    ]


@pytest.mark.parametrize("place", ["a-before", "z-after"])
def test_beside_another_webhook_both_end_content(
    shared: Cluster, tmp_path: Path, place: str
) -> None:
    """W17: before us or after us, by name: one extra round at most, and both their parts."""
    here = shared.elsewhere()
    ours = clusters.configuration(f"m-{here.namespace}", [here.namespace], shared.webhook.client)
    body = workload()
    body["spec"]["template"] = {"spec": {"containers": [{"name": "model"}]}}
    with Foreign(tmp_path, beside) as foreign, clusters.registered(here.api, ours):
        here.until_asked()
        with called(here, foreign, f"{place}-{here.namespace}"):
            theirs, before = foreign.calls, shared.webhook.calls()
            stored = here.create(body)
            asked = shared.webhook.calls() - before, foreign.calls - theirs
            here.kubectl("annotate", "deployment/chat", "example.com/touched=yes")
            assert template(here.get("deployment/chat")) == template(stored)
    here.clean()
    here.remove()
    assert asked == ((1, 2) if place == "a-before" else (2, 1))
    pod = template(stored)
    assert pod["metadata"]["annotations"]["example.com/injected"] == "yes"
    model, mesh = pod["spec"]["containers"]
    assert mesh["image"] == "mesh:1"
    assert model["args"][0] == "serve"
    assert model["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_a_webhook_after_ours_that_asks_for_other_machines_is_refused(
    shared: Cluster, tmp_path: Path
) -> None:
    """W17: what was expanded for other keys is never stored under these."""
    here = shared.elsewhere()
    ours = clusters.configuration(f"m-{here.namespace}", [here.namespace], shared.webhook.client)

    def other_machines(request: Object) -> list[Object]:
        held = request["object"]["metadata"].get("annotations") or {}
        value = {**held, annotations.INSTANCE_TYPES: "Standard_NC24s_v3"}
        return [{"op": "add", "path": "/metadata/annotations", "value": value}]

    with Foreign(tmp_path, other_machines) as foreign, clusters.registered(here.api, ours):
        here.until_asked()
        with called(here, foreign, f"z-{here.namespace}"):
            assert "(StaleExpansion)" in here.refusal(workload())
    here.remove()
