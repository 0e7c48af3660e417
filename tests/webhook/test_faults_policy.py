"""The shipped admission policies speak of the keys that the code has, and look where it looks."""

import re
from typing import Any

import pytest
import yaml

from presets import annotations, scheduling
from presets.runtime_args import nodes
from tests.webhook import cluster
from webhook import workloads

Object = dict[str, Any]


def documents(file: str, kind: str) -> dict[str, Object]:
    text = (cluster.MANIFESTS / file).read_text(encoding="utf-8")
    found = [document for document in yaml.safe_load_all(text) if document["kind"] == kind]
    return {document["metadata"]["name"]: document["spec"] for document in found}


SCALE = "plainsail-scale"
"""Of what is stored, and looks at nothing of it but the number of its pods."""


@pytest.fixture
def policies() -> dict[str, Object]:
    return documents("admission-policy.yaml", "ValidatingAdmissionPolicy")


def test_every_policy_is_bound_and_denies(policies: dict[str, Object]) -> None:
    bound = documents("admission-policy.yaml", "ValidatingAdmissionPolicyBinding")
    looked_up = bound[SCALE].pop("paramRef")
    assert bound == {name: {"policyName": name, "validationActions": ["Deny"]} for name in policies}
    assert looked_up["parameterNotFoundAction"] == "Allow"


def test_the_policies_name_only_keys_that_there_are(policies: dict[str, Object]) -> None:
    named = set(re.findall(r"kaito\.sh/[a-z-]+", str(policies)))
    assert named == {
        annotations.PRESET,
        annotations.MANAGED,
        annotations.PROVISION_SPEC,
        annotations.EXPANSION,
        scheduling.MARKER,
    }
    assert f"'{scheduling.SCHEDULER}'" in str(policies)
    assert f"'{nodes.COUNT}'" in str(policies[SCALE])


def test_the_policies_leave_out_what_the_webhook_leaves_out(policies: dict[str, Object]) -> None:
    text = (cluster.MANIFESTS / "webhook.yaml").read_text(encoding="utf-8")
    for name, policy in policies.items():
        assert policy["failurePolicy"] == ("Ignore" if name == SCALE else "Fail")
        for hook in yaml.safe_load(text)["webhooks"]:
            assert policy["matchConstraints"]["namespaceSelector"] == hook["namespaceSelector"]


def test_the_policies_look_at_what_is_made_and_never_lock_what_is_stored(
    policies: dict[str, Object],
) -> None:
    rules = {name: policy["matchConstraints"]["resourceRules"] for name, policy in policies.items()}
    (scaled,) = rules.pop(SCALE)
    assert scaled["resources"] == ["statefulsets/scale"]
    assert all(rule["operations"] == ["CREATE"] for of in rules.values() for rule in of)
    looked_at = {
        (f"{group}/v1", resource)
        for rule in rules["plainsail-workloads"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert looked_at == {(group, f"{kind.lower()}s") for group, kind in workloads.KINDS}
