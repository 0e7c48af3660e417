"""The reference pages and the shipped configuration say what the code does."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from presets import annotations
from webhook import reasons, workloads

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def rows(page: str) -> list[list[str]]:
    """Cells of the table rows of a page, without heads."""
    lines = (REFERENCE / page).read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_the_page_of_annotations_lists_every_key_as_the_code_has_it() -> None:
    expected = [
        [f"`{key.name}`", key.on, key.written_by, key.meaning]
        for key in annotations.KEYS.values()
        if key.is_supported
    ]
    later = [
        [f"`{k.name}`", k.on, k.meaning] for k in annotations.KEYS.values() if not k.is_supported
    ]
    assert rows("annotations.md") == expected + later


def test_every_constant_that_is_a_key_is_in_the_table() -> None:
    constants = {
        value
        for name, value in vars(annotations).items()
        if name.isupper() and isinstance(value, str) and value.startswith(annotations.PREFIX)
    }
    assert constants - {annotations.PREFIX} <= annotations.KEYS.keys()


def test_the_page_of_reasons_lists_every_code_as_the_code_has_it() -> None:
    expected = [
        [f"`{code}`", outcome, sentence]
        for outcome, codes in reasons.REASONS.items()
        for code, sentence in sorted(codes.items())
    ]
    assert rows("reasons.md") == expected


def test_codes_are_stable_words() -> None:
    codes = [code for of in reasons.REASONS.values() for code in of]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"([A-Z]+[a-z]+)+|[A-Z][A-Za-z]+s", code) for code in codes)


def test_every_code_in_the_source_is_listed() -> None:
    """Constants in capitals with a CamelCase value are codes."""
    found = {
        value
        for module in (annotations, reasons)
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
        if re.fullmatch(r"([A-Z][a-z]+)+(GPUs)?", value)
    }
    assert found == {code for of in reasons.REASONS.values() for code in of}


@pytest.fixture(scope="module")
def hook() -> dict[str, Any]:
    text = (ROOT / "deploy" / "manifests" / "webhook.yaml").read_text(encoding="utf-8")
    configurations = [d for d in yaml.safe_load_all(text) if d["kind"].startswith("Mutating")]
    (configuration,) = configurations
    (only,) = configuration["webhooks"]
    found: dict[str, Any] = only
    return found


def test_the_webhook_is_asked_about_labelled_objects_only(hook: dict[str, Any]) -> None:
    """So that failing closed holds up nobody else."""
    assert hook["failurePolicy"] == "Fail"
    assert hook["objectSelector"] == {
        "matchExpressions": [{"key": annotations.PRESET, "operator": "Exists"}]
    }


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
