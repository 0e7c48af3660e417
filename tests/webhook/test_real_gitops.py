"""GitOps tools against a stored workload, and against the configuration of the webhook itself.

None of the tools runs here; their requests do, sent with kubectl under their field managers:

- Helm 3: a three-way strategic merge of the old manifest, the new one and the live object, by the
  function that `kubectl apply` uses (k8s.io/apimachinery, CreateThreeWayMergePatch).
- Helm 4: server-side apply as `helm`.
- Argo CD: either, as `argocd-controller`; its server-side diff is a dry run.
- Flux: a dry run of a forced server-side apply as `kustomize-controller`, compared with what is
  live, and the apply where they differ.
"""

import base64
import json

import pytest
import yaml

from tests.webhook import cluster as clusters
from tests.webhook.cluster import IDLE, KINDS, Cluster, Object, of_kind, template

pytestmark = pytest.mark.controlplane

SERVER_SIDE = {
    "Argo CD": ["--server-side", "--field-manager=argocd-controller", "--force-conflicts"],
    "Flux": ["--server-side", "--field-manager=kustomize-controller", "--force-conflicts"],
    "Helm 4": ["--server-side", "--field-manager=helm"],
}
CLIENT_SIDE = {
    "Argo CD": ["--field-manager=argocd-controller"],
    "Helm 3": ["--field-manager=helm"],
}


def compared(found: Object) -> Object:
    """What these tools compare: all but status and the server's own metadata."""
    meta = found["metadata"]
    held = {key: meta.get(key) for key in ("labels", "annotations", "name")}
    return {"metadata": held, "spec": found["spec"]}


def dry_run(cluster: Cluster, manifest: str, flags: list[str]) -> Object:
    text = cluster.apply(manifest, *flags, "--dry-run=server", "--output=json")
    found: Object = json.loads(text)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tool", SERVER_SIDE)
def test_a_server_side_dry_run_of_the_same_manifest_is_what_is_live(
    cluster: Cluster, tool: str, kind: str
) -> None:
    """W21: no drift on what was filled in, for Jobs, too; and the sync writes nothing."""
    manifest, flags = of_kind(kind, IDLE), SERVER_SIDE[tool]
    cluster.apply(manifest, *flags)
    name = f"{KINDS[kind]}/chat"
    live = cluster.get(name) if kind == "Job" else cluster.settled(name)
    assert compared(dry_run(cluster, manifest, flags)) == compared(live)
    cluster.apply(manifest, *flags)
    again = cluster.get(name)
    assert compared(again) == compared(live)
    assert again["metadata"]["generation"] == live["metadata"]["generation"]


@pytest.mark.parametrize("tool", SERVER_SIDE)
def test_a_change_of_the_manifest_reaches_what_it_names_alone(cluster: Cluster, tool: str) -> None:
    """W21: an upgrade by server-side apply rolls no pods unless it asks for it."""
    flags = SERVER_SIDE[tool]
    cluster.apply(IDLE, *flags)
    first = cluster.get("deployment/chat")
    changed = yaml.safe_load(IDLE)
    changed["spec"]["revisionHistoryLimit"] = 3
    cluster.apply(changed, *flags)
    after = cluster.get("deployment/chat")
    assert after["spec"] == {**first["spec"], "revisionHistoryLimit": 3}


@pytest.mark.parametrize("tool", CLIENT_SIDE)
def test_a_three_way_merge_sends_the_change_and_nothing_else(cluster: Cluster, tool: str) -> None:
    """W21: an upgrade by patch, whose merge does not know of what was filled in."""
    flags = CLIENT_SIDE[tool]
    cluster.apply(IDLE, *flags)
    first = cluster.get("deployment/chat")
    assert cluster.apply(IDLE, *flags).endswith("unchanged\n")
    changed = yaml.safe_load(IDLE)
    changed["spec"]["revisionHistoryLimit"] = 3
    cluster.apply(changed, *flags)
    after = cluster.get("deployment/chat")
    assert after["spec"] == {**first["spec"], "revisionHistoryLimit": 3}
    assert template(after) == template(first)


def test_a_chart_with_its_own_container_upgrades_its_own_image(cluster: Cluster) -> None:
    """W21: a labelled chart: its new image arrives, and what was added stays beside it."""
    chart = yaml.safe_load(IDLE)
    container = {"name": "server", "image": "server:1"}
    chart["spec"]["template"] = {"spec": {"containers": [container]}}
    cluster.apply(chart, *CLIENT_SIDE["Helm 3"])
    first = template(cluster.get("deployment/chat"))["spec"]
    container["image"] = "server:2"
    cluster.apply(chart, *CLIENT_SIDE["Helm 3"])
    after = template(cluster.get("deployment/chat"))["spec"]
    first["containers"][0]["image"] = "server:2"
    assert after == first


@pytest.mark.parametrize("flags", [*SERVER_SIDE.values(), *CLIENT_SIDE.values()], ids=" ".join)
def test_the_bundle_that_is_injected_is_no_drift(shared: Cluster, flags: list[str]) -> None:
    """W21: a tool that syncs the shipped configuration leaves the certificates alone."""
    name = f"gitops-{shared.namespace}"
    made = clusters.configuration(name, ["nowhere"], {})
    service = {"namespace": "plainsail-system", "name": "plainsail-webhook", "path": "/mutate"}
    for hook in made["webhooks"]:
        hook["clientConfig"] = {"service": service}
    path = f"{clusters.CONFIGURATIONS}/{name}"
    try:
        shared.apply(made, *flags)
        bundle = base64.b64encode(shared.webhook.pems.certificate.read_bytes()).decode()
        injected = {"clientConfig": {"caBundle": bundle}}
        patch = json.dumps(
            {"webhooks": [{**injected, "name": h["name"]} for h in made["webhooks"]]}
        )
        shared.kubectl("patch", "mutatingwebhookconfiguration", name, f"--patch={patch}")
        diff = [flag for flag in flags if flag != "--force-conflicts"]
        assert shared.kubectl("diff", *diff, "-f", "-", stdin=json.dumps(made)) == ""
        shared.apply(made, *flags)
        live = shared.api.get(path)["webhooks"]
        assert {hook["clientConfig"]["caBundle"] for hook in live} == {bundle}
    finally:
        shared.api.delete(path)
