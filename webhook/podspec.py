"""The model's container: which one it is, and what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from presets import forms, images, preset, runtime_args
from webhook import adapters, copies, weights, workloads
from webhook.placement import Placement

NEW_CONTAINER = "model"
"""Name of the container where the template has none."""

COMMAND = ["python3", "-m", "runtime"]

USER = 65534
"""Numeric user of the model server: `nobody`, which owns nothing."""

_GIB = 2**30
_MINUTE = 60

_PROBED_SECONDS = 1
"""Between two looks at a starting server: it is found ready at most so much later."""

_NODE_SECONDS = 15 * _MINUTE
"""Time allowed for a node to be bought and to join: three to eight minutes are usual."""


class AmbiguousContainer(ValueError):
    """Several containers could be the model's."""


@dataclass(frozen=True)
class Chosen:
    """The model's container as the user left it."""

    name: str
    found: dict[str, Any]
    """Empty where it is to be added."""
    is_alone: bool
    """The pod has no other container, so that pod-wide settings concern nobody else."""

    @property
    def has_own_image(self) -> bool:
        """The user runs a server of their own."""
        return bool(self.found.get("image"))


def choose(
    containers: Sequence[dict[str, Any]], named: str, recorded: str = "", new: str = NEW_CONTAINER
) -> Chosen:
    """The model's container: the one named, else the only one without an image, else the only one.

    `recorded` is the container of an earlier expansion. A named container that is not there is to
    be added, as is `new` where there is none.

    Raises:
        AmbiguousContainer: none of these rules picks one.
    """
    by_name = {container.get("name", ""): container for container in containers}
    bare = [name for name, container in by_name.items() if not container.get("image")]
    if named:
        name = named
    elif not containers:
        name = recorded or new
    elif len(bare) == 1:
        name = bare[0]
    elif recorded in by_name:
        name = recorded
    elif len(containers) == 1:
        name = next(iter(by_name))
    else:
        raise AmbiguousContainer(", ".join(by_name))
    return Chosen(name, by_name.get(name, {}), is_alone=set(by_name) <= {name})


def startup_seconds(kept: preset.Weights) -> int:
    """Time allowed from the container's start to the first answer.

    From the hub 15 minutes and 18 s per GiB (60 MB/s), between half an hour and three hours, as
    KAITO allows (presets/workspace/models/vllm_model.go); from the image 5 minutes.
    """
    if kept.in_image:
        return 5 * _MINUTE
    seconds = 15 * _MINUTE + 18 * kept.size_bytes // _GIB
    return min(max(seconds, 30 * _MINUTE), 180 * _MINUTE)


def progress_seconds(kept: preset.Weights) -> int:
    """Time allowed for a rollout to show progress: a node, then the start."""
    return _NODE_SECONDS + startup_seconds(kept)


class Served(NamedTuple):
    """A model that is served: where, from what weights, with which adapters, by which engine."""

    model: preset.Preset
    placed: Placement
    supply: weights.Supply = weights.FROM_HUB
    beside: adapters.Beside = adapters.NONE
    runtime: str = forms.AUTO


def serve_args(served: Served) -> runtime_args.ServeArgs:
    """What the model server is told."""
    model, placed = served.model, served.placed
    directory = weights.directory(served.supply)
    is_whole = placed.context_tokens == model.context_tokens
    return runtime_args.ServeArgs(
        model=directory or model.weights.source,
        served_name=model.name,
        revision="" if directory else model.weights.revision,
        dtype=placed.dtype,
        context_tokens=0 if is_whole else placed.context_tokens,
        adapters=adapters.served(served.beside),
        runtime=served.runtime,
        tensor_parallel=placed.split.tensor,
        pipeline_parallel=placed.split.pipeline,
    )


def container(served: Served, chosen: Chosen, pod: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the model's container is to have; what the user wrote wins over it."""
    mounts = [{"name": name, "mountPath": path} for name, path, _ in missing_mounts(chosen)]
    mounts += weights.mounts(served.supply)
    if served.beside.listed:
        mounts += adapters.mounts(served.beside)
    if chosen.has_own_image:
        return {"name": chosen.name, "resources": served.placed.resources, "volumeMounts": mounts}
    return {
        "name": chosen.name,
        "image": images.RUNTIME_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        **_invocation(chosen, serve_args(served)),
        "env": environment(served.model, served.supply),
        "ports": _ports(chosen.found, pod),
        "resources": served.placed.resources,
        **_probes(served.model.weights),
        "securityContext": security(chosen.found, workloads.part(pod, "securityContext")),
        "volumeMounts": mounts,
    }


def pod_layout(served: Served, chosen: Chosen, pod: Mapping[str, Any]) -> dict[str, Any]:
    """The pod's own part where a model is served: containers and volumes."""
    strict = security({}, workloads.part(pod, "securityContext"))
    before, held = weights.copier(served.supply, strict), volumes(chosen, served.supply)
    if served.beside.listed:
        before += adapters.copiers(served.beside, strict)
        held += adapters.volumes(served.beside)
    return {
        "containers": [container(served, chosen, pod)],
        "initContainers": before,
        "volumes": held,
    }


def volumes(chosen: Chosen, supply: weights.Supply) -> list[dict[str, Any]]:
    """Volumes that a container of a model mounts, whatever it does with it."""
    empty = [{"name": name, "emptyDir": dict(kind)} for name, _, kind in missing_mounts(chosen)]
    return empty + weights.volumes(supply)


def environment(model: preset.Preset, supply: weights.Supply) -> list[dict[str, Any]]:
    """Variables of a container that may take the weights from the hub."""
    return [
        {"name": "HF_HOME", "value": "/tmp/hf"},  # noqa: S108 - an emptyDir of the pod
        *weights.environment(model, supply),
    ]


_MOUNTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("plainsail-tmp", "/tmp", {}),  # noqa: S108 - an emptyDir of the pod
    ("plainsail-shm", "/dev/shm", {"medium": "Memory"}),  # noqa: S108 - likewise
)


def missing_mounts(chosen: Chosen) -> list[tuple[str, str, dict[str, str]]]:
    """Name, path and emptyDir source of the mounts to add: those whose path is free.

    PyTorch needs a writable /tmp and shared memory beyond the 64 MiB of a container; a server of
    the user's own has its own root file system and gets the shared memory alone.
    """
    taken = {mount.get("mountPath") for mount in chosen.found.get("volumeMounts") or ()}
    wanted = _MOUNTS[1:] if chosen.has_own_image else _MOUNTS
    return [mount for mount in wanted if mount[1] not in taken]


def _invocation(chosen: Chosen, args: runtime_args.ServeArgs) -> dict[str, Any]:
    """Command and arguments; none where the command is the user's."""
    if chosen.found.get("command"):
        return {}
    return {"command": list(COMMAND), "args": list(_argv(args))}


@lru_cache(maxsize=512)
def _argv(args: runtime_args.ServeArgs) -> tuple[str, ...]:
    """Few differ: one for each model, where it has the same room."""
    return tuple(copies.literal(args.to_argv()))


def _ports(found: Mapping[str, Any], pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The server's port, as `http` unless a port of the pod has that name already."""
    own = found.get("ports") or ()
    if any(port.get("containerPort") == runtime_args.PORT for port in own):
        return []
    names = {str(p.get("name")) for c in pod.get("containers") or () for p in c.get("ports") or ()}
    name = "model-http" if "http" in names else "http"
    return [{"name": name, "containerPort": runtime_args.PORT, "protocol": "TCP"}]


def _probes(kept: preset.Weights) -> dict[str, Any]:
    """Startup, readiness and liveness: only a server that can answer is ready."""
    health = {"path": "/health", "port": runtime_args.PORT}
    return {
        "startupProbe": {
            "httpGet": health,
            "periodSeconds": _PROBED_SECONDS,
            "timeoutSeconds": 5,
            "failureThreshold": startup_seconds(kept) // _PROBED_SECONDS,
        },
        "readinessProbe": {"httpGet": dict(health), "periodSeconds": 5, "timeoutSeconds": 5},
        "livenessProbe": {
            "httpGet": dict(health, path="/healthz"),
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    }


_RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""Pod Security Standards, level `restricted`, and a read-only root file system."""


def security(found: Mapping[str, Any], pod_wide: Mapping[str, Any]) -> dict[str, Any]:
    """The restricted settings, less those that the user set for the pod or that contradict theirs.

    A container's setting overrides the pod's, so one that the pod has is left to it. Root cannot be
    non-root; a privileged container cannot be kept from escalation (the API server refuses both).
    """
    own = workloads.part(found, "securityContext")
    skipped = set(pod_wide)
    if own.get("runAsUser", pod_wide.get("runAsUser")) == 0:
        skipped.add("runAsNonRoot")
    if own.get("privileged") or "SYS_ADMIN" in (
        workloads.part(own, "capabilities").get("add") or ()
    ):
        skipped.add("allowPrivilegeEscalation")
    return {key: value for key, value in _RESTRICTED.items() if key not in skipped}
