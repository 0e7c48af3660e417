"""The shipped webhook configuration asks about what the code expands, and about nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from presets import annotations
from webhook import workloads

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[0, 1], ids=["by-workload", "by-pods"])
def hook(request: pytest.FixtureRequest) -> dict[str, Any]:
    text = (ROOT / "deploy" / "manifests" / "webhook.yaml").read_text(encoding="utf-8")
    configurations = [d for d in yaml.safe_load_all(text) if d["kind"].startswith("Mutating")]
    (configuration,) = configurations
    by_workload, by_pods = configuration["webhooks"]
    found: dict[str, Any] = (by_workload, by_pods)[request.param]
    return found


def test_the_webhook_is_asked_about_labelled_objects_only(hook: dict[str, Any]) -> None:
    """So that failing closed holds up nobody else."""
    assert hook["failurePolicy"] == "Fail"
    if "objectSelector" in hook:
        expression = {"key": annotations.PRESET, "operator": "Exists"}
        assert hook["objectSelector"] == {"matchExpressions": [expression]}
        assert "matchConditions" not in hook
    else:
        conditions = [condition["expression"] for condition in hook["matchConditions"]]
        label = f'labels[?"{annotations.PRESET}"].hasValue()'
        assert all(label in condition for condition in conditions)
        assert len(conditions) == 2


def test_a_condition_reads_nothing_that_may_be_absent(hook: dict[str, Any]) -> None:
    """An error of a condition refuses the object, whoever's it is."""
    for condition in hook.get("matchConditions", ()):
        fields = re.findall(r"\bit((?:\.\??\w+)+)", condition["expression"])
        assert fields
        assert all(part.startswith("?") for path in fields for part in path.split(".")[1:])


def test_the_webhook_is_asked_about_every_kind_that_it_expands(hook: dict[str, Any]) -> None:
    asked = {
        (f"{group}/{version}", resource)
        for rule in hook["rules"]
        for group in rule["apiGroups"]
        for version in rule["apiVersions"]
        for resource in rule["resources"]
    }
    assert asked == {(group, f"{str(kind).lower()}s") for group, kind in workloads.KINDS}
    assert all(sorted(rule["operations"]) == ["CREATE", "UPDATE"] for rule in hook["rules"])


def test_the_webhook_never_holds_up_its_own_namespace(hook: dict[str, Any]) -> None:
    (expression,) = hook["namespaceSelector"]["matchExpressions"]
    assert expression == {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": ["kube-system", "plainsail-system"],
    }


def test_the_shipped_configuration_carries_no_certificate(hook: dict[str, Any]) -> None:
    """Injected at run time, a caBundle in the manifest would be seen as drift."""
    assert hook["clientConfig"] == {
        "service": {
            "namespace": "plainsail-system",
            "name": "plainsail-webhook",
            "path": "/mutate",
        }
    }
    assert (hook["sideEffects"], hook["timeoutSeconds"]) == ("None", 5)
