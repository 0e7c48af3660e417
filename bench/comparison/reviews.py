"""The reviews that are measured, as an API server sends them: defaulted, with field managers."""

import copy
import json
from typing import Any

Object = dict[str, Any]

NAME = "chat-000000"
"""Of every workload, so that another of the same length can be put in its place."""

_MANIFEST: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": NAME,
        "namespace": "default",
        "labels": {"kaito.sh/preset": "tiny-chat", "app": NAME, "team": "search"},
        "annotations": {"kaito.sh/instance-types": "Standard_NC6s_v3,Standard_NC24ads_A100_v4"},
    },
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": NAME}},
        "template": {
            "metadata": {"labels": {"app": NAME}},
            "spec": {
                "containers": [
                    {
                        "name": "model",
                        "env": [
                            {"name": f"SETTING_{place}", "value": f"value of setting {place}"}
                            for place in range(9)
                        ],
                    }
                ]
            },
        },
    },
}
_POD_DEFAULTS = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER_DEFAULTS = {
    "imagePullPolicy": "Always",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_UPDATE = {"maxSurge": "25%", "maxUnavailable": "25%"}
_DEFAULTS: dict[str, Object] = {
    "Deployment": {
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": _UPDATE},
    },
    "StatefulSet": {
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "serviceName": "",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    },
    "Job": {"backoffLimit": 6, "completionMode": "NonIndexed", "completions": 1, "suspend": True},
}


def manifest(kind: str = "Deployment") -> Object:
    """What a user applies: a labelled workload with a stub of a container."""
    out = copy.deepcopy(_MANIFEST)
    out["kind"] = kind
    if kind == "Job":
        out["apiVersion"] = "batch/v1"
        out["spec"] = {"suspend": True, "template": out["spec"]["template"]}
    return out


def sent(kind: str = "Deployment") -> Object:
    """The same as a webhook sees it after `kubectl apply`."""
    out = manifest(kind)
    applied = json.dumps(out, separators=(",", ":"))
    meta, pod = out["metadata"], out["spec"]["template"]["spec"]
    meta["uid"] = "3f6f4b1c-6f0a-4a6e-9a51-0e1d8a4b7c11"
    meta["creationTimestamp"] = "2026-11-21T10:00:00Z"
    meta["generation"] = 1
    meta["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = applied + "\n"
    meta["managedFields"] = [
        {
            "manager": "kubectl-client-side-apply",
            "operation": "Update",
            "apiVersion": out["apiVersion"],
            "time": "2026-11-21T10:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": _fields(manifest(kind)["spec"], "f:spec"),
        }
    ]
    out["spec"] = {**_DEFAULTS[kind], **out["spec"]}
    out["spec"]["template"]["metadata"]["creationTimestamp"] = None
    pod.update(_POD_DEFAULTS)
    for container in pod["containers"]:
        container.update(_CONTAINER_DEFAULTS)
    out["status"] = {}
    return out


def review(workload: Object) -> bytes:
    """The body of a CREATE."""
    group, _, version = workload["apiVersion"].partition("/")
    kind = {"group": group, "version": version, "kind": workload["kind"]}
    resource = {"group": group, "version": version, "resource": workload["kind"].lower() + "s"}
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": NAME,
        "namespace": "default",
        "operation": "CREATE",
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters"]},
        "object": workload,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    whole = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    return json.dumps(whole, separators=(",", ":")).encode()


def _fields(value: object, key: str) -> Object:
    """A FieldsV1 of the shape and size that the API server would write."""
    if isinstance(value, dict):
        held: Object = {}
        for name, part in value.items():
            held |= _fields(part, f"f:{name}")
        return {key: held}
    if isinstance(value, list):
        return {key: {f'k:{{"name":"{e["name"]}"}}': _fields(e, "f:name") for e in value}}
    return {key: {}}
