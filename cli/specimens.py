"""For each reason of the admission webhook a small workload that meets it, and what it is told.

So an example is what the webhook says today, never a copy of what it once said.
"""

from functools import cache
from typing import Any

import orjson

from presets import annotations, catalog, gpus, providers, runtime_args
from webhook import admit, placement, reasons
from webhook.terms import Terms

Object = dict[str, Any]

_ABLE = runtime_args.PROGRAMS | {
    runtime_args.FETCH,
    runtime_args.TUNE,
    runtime_args.PUSH,
    runtime_args.SERVE_NODES,
}
_LATER = (reasons.RESULTS_NOT_KEPT, reasons.MACHINES_JOINED, reasons.STATEFUL_SET_IMMUTABLE)
"""Told by an image that can do more than that of this version."""

_MODEL = "tiny-chat"
_OWN = {"name": "app", "image": "registry.example.com/app:1"}
_TOO_SMALL, _LARGER = "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4"


@cache
def message(code: str) -> tuple[str, str]:
    """What the specimen of a reason is told, and the hint; empty where there is no specimen."""
    request = _request(code)
    if request is None:
        return "", ""
    terms = Terms(
        catalog.load(),
        image_volumes=code != reasons.ADAPTERS_COPIED,
        programs=_ABLE if code in _LATER else runtime_args.PROGRAMS,
        provider=providers.PROVIDERS["gpu-provisioner"],
        on_processors=code == reasons.KEYS_IDLE,
    )
    decision = admit.admit(request, terms)
    if isinstance(decision, admit.Denied):
        texts = [(f"{e.path}: {e.sentence}", e.hint) for e in decision.errors if e.reason == code]
    elif isinstance(decision, admit.Allowed):
        texts = [(note.message, "") for note in decision.notes if note.reason == code]
    else:
        texts = []
    return texts[0] if texts else ("", "")


def _request(code: str) -> admit.AdmissionRequest | None:
    created = _created().get(code)
    return admit.AdmissionRequest(admit.CREATE, created) if created else _updated().get(code)


def _created() -> dict[str, Object]:
    """What is told something when it is created, by code."""
    types = annotations.INSTANCE_TYPES
    weights = {annotations.WEIGHTS: "pvc:models/phi-4"}
    sql = {annotations.ADAPTERS: '[{"name":"sql","image":"ghcr.io/org/sql:1"}]'}
    nothing = {"container": "model", "filled": {}, "preset": _MODEL, "revision": "", "v": 1}
    return {
        annotations.INVALID_VALUE: _workload({annotations.CAPACITY_TYPE: "cheap"}),
        annotations.UNKNOWN_KEY: _workload({"kaito.sh/instance-type": _LARGER}),
        annotations.NOT_SUPPORTED_YET: _workload({annotations.RUNTIME: "vllm"}),
        annotations.MISPLACED_KEY: _workload(pods={annotations.CAPACITY_TYPE: annotations.SPOT}),
        reasons.UNKNOWN_PRESET: _workload(preset="phi-3-mini"),
        reasons.UNKNOWN_INSTANCE_TYPE: _workload({types: "Standard_NC24ads_A100"}),
        reasons.DOES_NOT_FIT: _workload({types: _TOO_SMALL}, preset="phi-4"),
        reasons.TOO_FEW_GPUS: _workload(
            {types: _LARGER}, [{"name": "model", "resources": {"limits": {gpus.GPU_RESOURCE: 8}}}]
        ),
        reasons.CONTRADICTING_NODE_SELECTOR: _workload(
            {types: _LARGER}, nodeSelector={placement.INSTANCE_TYPE_LABEL: _TOO_SMALL}
        ),
        reasons.AMBIGUOUS_CONTAINER: _workload({}, [_OWN, {**_OWN, "name": "proxy"}]),
        reasons.MALFORMED_ARGUMENTS: _workload({}, [{"name": "model", "args": ["--port=80"]}]),
        reasons.MALFORMED_OBJECT: _workload({}, [{"name": "model", "command": "serve"}]),
        reasons.MALFORMED_RECORD: _workload({annotations.EXPANSION: "{}"}),
        reasons.NAME_REQUIRED: _workload(name=""),
        reasons.NAME_TOO_LONG: _workload(name="chat-" * 13 + "x"),
        reasons.STALE_EXPANSION: _workload(
            {annotations.EXPANSION: _json({**nothing, "inputs": {annotations.PRESET: "phi-4"}})}
        ),
        reasons.ABOVE_PRICE_LIMIT: _workload({annotations.MAX_PRICE_PER_HOUR: "1"}, preset="phi-4"),
        reasons.KEYS_IDLE: _workload({types: _LARGER}),
        reasons.PRICE_UNKNOWN: _workload(
            {types: "Standard_NCC40ads_H100_v5", annotations.MAX_PRICE_PER_HOUR: "1"},
            preset="phi-4",
        ),
        reasons.CONTRADICTING_TOLERATION: _workload(
            tolerations=[{"key": "sku", "value": "cpu", "effect": "NoSchedule"}]
        ),
        reasons.PROVIDER_CANNOT: _workload({annotations.CAPACITY_TYPE: "spot,on-demand"}),
        reasons.CONTRADICTING_AFFINITY: _workload(affinity=_other_machines()),
        reasons.MOUNT_PATH_TAKEN: _workload(
            weights,
            [{"name": "model", "volumeMounts": [{"name": "a", "mountPath": "/mnt/weights"}]}],
        ),
        reasons.EXPANDED: _workload(),
        reasons.NOTHING_BOUGHT: _workload({annotations.PROVISION: "off"}),
        reasons.PODS_GATED: _workload({annotations.PROVISION: "gate"}),
        reasons.CONTRADICTING_NODE_NAME: _workload({annotations.PROVISION: "gate"}, nodeName="n1"),
        reasons.TOKEN_NEEDED: _workload(preset="llama-3.1-8b-instruct"),
        reasons.WEIGHTS_MOUNTED: _workload(weights, [_OWN]),
        reasons.ADAPTERS_MOUNTED: _workload(sql, [_OWN]),
        reasons.ADAPTERS_COPIED: _workload(sql),
        **_tuned(),
        reasons.OTHER_REPLICAS: _large(replicas=3),
        reasons.MACHINES_JOINED: _large(),
        reasons.MACHINES_LEFT_OUT: _workload({types: f"{_TOO_SMALL},{_LARGER}"}, preset="phi-4"),
        reasons.OLD_GPU: _workload({types: "Standard_NC6s_v3"}),
        reasons.IMAGE_KEPT: _workload({}, [_OWN]),
        reasons.COMMAND_KEPT: _workload({}, [{"name": "model", "command": ["sleep"]}]),
        reasons.TOLERATIONS_KEPT: _workload(
            tolerations=[{"key": gpus.GPU_RESOURCE, "operator": "Exists"}]
        ),
        reasons.AFFINITY_KEPT: _workload(affinity=_own_affinity()),
    }


def _tuned() -> dict[str, Object]:
    """Tuning runs that are told something, by code."""
    method, inputs = annotations.TUNING_METHOD, annotations.TUNING_INPUT_PVC
    kept = {method: "lora", inputs: "data", annotations.TUNING_OUTPUT_PVC: "adapters"}
    pushed = {
        method: "lora",
        inputs: "data",
        annotations.TUNING_OUTPUT_IMAGE: "ghcr.io/org/sql:1",
        annotations.TUNING_OUTPUT_PUSH_SECRET: "registry-login",
    }
    several = _workload(kept, kind="Job")
    several["spec"]["parallelism"] = 4
    return {
        reasons.CANNOT_BE_TUNED: _workload(kept, kind="Job", preset="llama-3.1-8b-instruct"),
        reasons.CONTAINER_NAME_TAKEN: _workload(
            pushed, [{"name": "tune"}, {**_OWN, "name": "push"}], kind="Job"
        ),
        reasons.OWN_TRAINER: _workload(kept, [_OWN], kind="Job"),
        reasons.SEVERAL_PODS: several,
        reasons.RESULTS_NOT_KEPT: _workload(pushed, kind="Job"),
    }


def _updated() -> dict[str, admit.AdmissionRequest]:
    """What is told something when it is changed, by code."""
    bare, server = _expanded(_workload()), _expanded(_workload({}, [_OWN]))
    job = _expanded(_workload(kind="Job"))
    return {
        reasons.NOTHING_TO_RUN: _update(bare, _unlabelled(bare)),
        reasons.RELEASED: _update(server, _unlabelled(server)),
        reasons.JOB_KEPT: _update(job, _unlabelled(job)),
        reasons.JOB_TEMPLATE_IMMUTABLE: _update(job, _labelled(job, "phi-4")),
        reasons.STATEFUL_SET_IMMUTABLE: _update(
            _large(podManagementPolicy="OrderedReady"), _large()
        ),
    }


def _workload(
    keys: Object | None = None,
    containers: list[Object] | None = None,
    *,
    preset: str = _MODEL,
    kind: str = "Deployment",
    name: str = "chat",
    pods: Object | None = None,
    **pod: object,
) -> Object:
    """A labelled workload; `keys` and `pods`: its annotations and its pods', `pod`: their spec."""
    template = {"metadata": {"annotations": pods or {}}, "spec": {"containers": containers, **pod}}
    return {
        "apiVersion": "batch/v1" if kind == "Job" else "apps/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": {annotations.PRESET: preset},
            "annotations": keys or {},
        },
        "spec": {"template": template},
    }


def _large(**spec: object) -> Object:
    """A StatefulSet whose model takes two machines."""
    keys = {annotations.INSTANCE_TYPES: "Standard_ND96isr_H100_v5"}
    out = _workload(keys, kind="StatefulSet", preset="deepseek-r1-0528")
    out["spec"].update(spec)
    return out


def _other_machines() -> Object:
    rule = {"key": placement.INSTANCE_TYPE_LABEL, "operator": "In", "values": [_LARGER]}
    term = {"matchExpressions": [rule]}
    return {"nodeAffinity": {placement.REQUIRED: {"nodeSelectorTerms": [term]}}}


def _own_affinity() -> Object:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    return {"nodeAffinity": {placement.REQUIRED: {"nodeSelectorTerms": [term]}}}


def _expanded(workload: Object) -> Object:
    decision = admit.admit(admit.AdmissionRequest(admit.CREATE, workload), Terms(catalog.load()))
    assert isinstance(decision, admit.Allowed), "the specimens of updates are sound"
    return decision.workload


def _labelled(workload: Object, preset: str) -> Object:
    return {
        **workload,
        "metadata": {**workload["metadata"], "labels": {annotations.PRESET: preset}},
    }


def _unlabelled(workload: Object) -> Object:
    return {**workload, "metadata": {**workload["metadata"], "labels": {}}}


def _update(old: Object, new: Object) -> admit.AdmissionRequest:
    return admit.AdmissionRequest(admit.UPDATE, new, old)


def _json(value: Object) -> str:
    return orjson.dumps(value).decode()
