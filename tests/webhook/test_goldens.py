"""Each golden case through the decision, the HTTP server and the command line: one result.

tests/golden/expand/CASE holds a manifest and what it becomes; tests/golden/deny/CASE a manifest and
the message that refuses it. What the command line prints is in tests/cli/test_expand.py.
"""

import base64
from pathlib import Path
from typing import Any

import jsonpatch
import kubernetes_validate
import orjson
import pytest
import yaml

from cli import manifests, render
from presets import field_errors
from tests import golden_terms
from tests.conftest import GOLDEN, Goldens
from tests.webhook import asgi
from webhook import admit, app

EXPAND = sorted((GOLDEN / "expand").iterdir())
DENY = sorted((GOLDEN / "deny").iterdir())


def _in(goldens: Goldens, case: Path) -> dict[str, Any]:
    (document,) = manifests.read("in.yaml", goldens.read(case / "in.yaml"))
    return document.objects[0]


def _decide(workload: dict[str, Any], case: Path) -> admit.Decision:
    return admit.admit(admit.AdmissionRequest(admit.CREATE, workload), golden_terms.of(case))


@pytest.mark.parametrize("case", EXPAND, ids=lambda case: case.name)
def test_expansion(case: Path, goldens: Goldens) -> None:
    """The manifest becomes the golden one, and expanding that changes nothing."""
    decision = _decide(_in(goldens, case), case)
    assert isinstance(decision, admit.Allowed), decision
    notes = "".join(f"# warning: {note.message}\n" for note in decision.notes)
    goldens.check(case / "out.yaml", notes + render.as_yaml(decision.workload))
    again = _decide(decision.workload, case)
    assert isinstance(again, admit.Allowed)
    assert again.patch == []


@pytest.mark.parametrize("case", EXPAND, ids=lambda case: case.name)
def test_the_servers_patch_gives_the_golden_object(case: Path, goldens: Goldens) -> None:
    """An independent applier turns the manifest into the golden object by the served patch."""
    workload = _in(goldens, case)
    response = asgi.mutate(app.App(golden_terms.of(case)), workload)
    patch = orjson.loads(base64.b64decode(response["patch"]))
    assert {operation["op"] for operation in patch} == {"add"}
    expected = yaml.safe_load(goldens.read(case / "out.yaml"))
    assert jsonpatch.apply_patch(workload, patch) == expected


@pytest.mark.parametrize("case", EXPAND, ids=lambda case: case.name)
def test_golden_objects_follow_the_schema_of_kubernetes(case: Path, goldens: Goldens) -> None:
    """No misspelt, unknown or missing field: the API server drops those without a word."""
    out = yaml.safe_load(goldens.read(case / "out.yaml"))
    out["spec"].get("template", {}).get("metadata", {}).pop("creationTimestamp", None)
    kubernetes_validate.validate(out, "1.36", strict=True)


@pytest.mark.parametrize("case", DENY, ids=lambda case: case.name)
def test_denial(case: Path, goldens: Goldens) -> None:
    """The manifest is refused with the golden message, by the server too."""
    workload = _in(goldens, case)
    decision = _decide(workload, case)
    assert isinstance(decision, admit.Denied), decision
    message = field_errors.render(decision.errors)
    goldens.check(case / "message.txt", f"{message}\n")
    response = asgi.mutate(app.App(golden_terms.of(case)), workload)
    assert not response["allowed"]
    assert response["status"]["code"] == 422
    assert response["status"]["message"] == message
